-- Keyed indexes: filling their table behind the commits, looking parcels up by them; and erasure, which removes both.
SET LOCAL ROLE sealpost_owner;
--> statement-breakpoint
-- The commits whose parcels are not in `keyed_index` yet, oldest first by `first`; of one city, or of all (NULL).
CREATE FUNCTION sealpost.behind(p_city bigint)
RETURNS TABLE (first bigint, rows integer, writer integer, sequence bigint, day integer, committed_ms bigint,
	from_id bytea, to_id bytea, enterprise bytea)
LANGUAGE sql STABLE ROWS 100
AS $$
	SELECT c.first, c.rows, c.writer, c.sequence, c.day, c.committed_ms, c.from_id, c.to_id, w.enterprise
	FROM sealpost.writers w
	LEFT JOIN sealpost.index_mark m ON m.writer = w.number
	CROSS JOIN LATERAL (SELECT * FROM sealpost.commits c
		WHERE c.writer = w.number AND c.sequence > coalesce(m.sequence, 0) OFFSET 0) c
	WHERE w.sequence > coalesce(m.sequence, 0) AND (p_city IS NULL OR w.city = p_city)
$$;
--> statement-breakpoint
-- db/parcels.ts, fillIndexes. One at a time, whoever calls; nobody else waits for it.
CREATE FUNCTION sealpost.fill_indexes(p_limit integer, p_since_ms bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sealpost, pg_temp SET enable_seqscan = off SET jit = off SET work_mem = '64MB'
AS $$
DECLARE
	v_waiting bigint;
	v_since bigint;
	v_firsts bigint[];
	v_rows bigint;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('sealpost index'));
	WITH behind AS MATERIALIZED (
		SELECT b.first, b.rows, b.day, b.committed_ms, sum(b.rows) OVER (ORDER BY b.first) AS through FROM behind(NULL) b
	), taken AS MATERIALIZED (SELECT * FROM behind b WHERE b.through <= greatest(p_limit, (SELECT min(through) FROM behind)))
	SELECT (SELECT sum(b.rows) FROM behind b), (SELECT b.committed_ms FROM behind b ORDER BY b.first LIMIT 1),
			array_agg(t.first), sum(t.rows)
		INTO v_waiting, v_since, v_firsts, v_rows FROM taken t;
	IF v_waiting IS NULL THEN
		RETURN 0;
	END IF;
	IF v_waiting < p_limit AND v_since > p_since_ms THEN
		RETURN v_waiting;
	END IF;
	PERFORM ensure_partition('keyed_index', d.week)
		FROM (SELECT DISTINCT week_of_ms(c.day * 86400000::bigint) AS week FROM commits c WHERE c.first = ANY(v_firsts)) d;
	-- Sorted by the key: the tree is then written front to back instead of a page here and a page there. The four values end
	-- the additional data of a full parcel (wire/parcel.ts); zeros stand where a record has no such number.
	INSERT INTO keyed_index (day, idx, enterprise, id)
		SELECT c.day, i.idx, c.enterprise, p.id
		FROM (SELECT c.first, c.day, c.from_id, c.to_id, w.enterprise FROM commits c JOIN writers w ON w.number = c.writer
			WHERE c.first = ANY(v_firsts) OFFSET 0) c
		CROSS JOIN LATERAL (SELECT p.id, substring(p."full", 81, 64) AS indexes FROM parcels p
			WHERE p.position BETWEEN c.first AND c.first + 1023 AND p.id BETWEEN c.from_id AND c.to_id OFFSET 0) p
		CROSS JOIN LATERAL (VALUES (substring(p.indexes, 1, 16)), (substring(p.indexes, 17, 16)), (substring(p.indexes, 33, 16)),
			(substring(p.indexes, 49, 16))) i (idx)
		WHERE i.idx <> '\x00000000000000000000000000000000'
		ORDER BY c.day, i.idx;
	INSERT INTO index_mark AS m (writer, sequence)
		SELECT c.writer, max(c.sequence) FROM commits c WHERE c.first = ANY(v_firsts) GROUP BY c.writer ORDER BY c.writer
		ON CONFLICT (writer) DO UPDATE SET sequence = greatest(m.sequence, excluded.sequence);
	RETURN v_waiting - v_rows;
END
$$;
--> statement-breakpoint
/*
The parcels of commits, one view of them, joined for each commit: ids of 16 octets, and the parcels with their lengths (0 for one
without that view). What was erased is missing.
Functions that read fix the plan: one made while a partition was still small would scan it long after it has grown, and one made
anew for each call takes longer than the call.
*/
CREATE FUNCTION sealpost.read_parcels(p_firsts bigint[], p_masked boolean)
RETURNS TABLE (first bigint, receipts bytea, ids bytea, lengths text, parcels bytea)
LANGUAGE plpgsql STABLE ROWS 10 SET search_path = sealpost, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT c.first, c.receipts, a.ids, a.lengths, a.parcels
		FROM commits c
		CROSS JOIN LATERAL (
			SELECT string_agg(v.id, ''::bytea) AS ids, string_agg(coalesce(octet_length(v.parcel), 0)::text, ',') AS lengths,
				string_agg(v.parcel, ''::bytea) AS parcels
			FROM (SELECT p.id, CASE WHEN p_masked THEN p.masked ELSE p."full" END AS parcel FROM parcels p
				WHERE p.position BETWEEN c.first AND c.first + 1023 AND p.id BETWEEN c.from_id AND c.to_id
				ORDER BY p.position) v) a
		WHERE c.first = ANY(p_firsts);
END
$$;
--> statement-breakpoint
-- db/parcels.ts, find: of all enterprises when p_enterprise is NULL. One snapshot, so that a filling hides nothing.
CREATE FUNCTION sealpost.find_parcels(
	p_city bigint, p_enterprise bytea, p_indexes bytea, p_from_day bigint, p_to_day bigint, p_limit integer)
RETURNS SETOF bytea
LANGUAGE plpgsql STABLE ROWS 10 SET search_path = sealpost, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off
AS $$
BEGIN
	RETURN QUERY WITH wanted AS MATERIALIZED (
		SELECT DISTINCT substring(p_indexes, n * 16 + 1, 16) AS idx FROM generate_series(0, octet_length(p_indexes) / 16 - 1) n
		WHERE substring(p_indexes, n * 16 + 1, 16) <> '\x00000000000000000000000000000000'
	), found AS (
		SELECT r.position, r.id
		FROM generate_series(greatest(p_from_day, (SELECT min(day) FROM commits)), least(p_to_day, (SELECT max(day) FROM commits))) d (day)
		CROSS JOIN wanted i
		CROSS JOIN LATERAL (SELECT k.enterprise, k.id FROM keyed_index k
			WHERE k.day = d.day::integer AND k.idx = i.idx AND (p_enterprise IS NULL OR k.enterprise = p_enterprise) OFFSET 0) k
		CROSS JOIN LATERAL (SELECT r.position, r.id FROM receipts r
			WHERE r.city = p_city AND r.enterprise = k.enterprise AND r.id = k.id OFFSET 0) r
		UNION
		SELECT p.position, p.id
		FROM behind(p_city) c
		CROSS JOIN LATERAL (SELECT p.position, p.id, substring(p."full", 81, 64) AS indexes FROM parcels p
			WHERE p.position BETWEEN c.first AND c.first + 1023 AND p.id BETWEEN c.from_id AND c.to_id OFFSET 0) p
		WHERE c.day BETWEEN p_from_day AND p_to_day AND (p_enterprise IS NULL OR c.enterprise = p_enterprise)
			AND (substring(p.indexes, 1, 16) IN (SELECT idx FROM wanted) OR substring(p.indexes, 17, 16) IN (SELECT idx FROM wanted)
				OR substring(p.indexes, 33, 16) IN (SELECT idx FROM wanted) OR substring(p.indexes, 49, 16) IN (SELECT idx FROM wanted))
	)
	SELECT p."full" FROM found f
	CROSS JOIN LATERAL (SELECT p."full" FROM parcels p WHERE p.position = f.position AND p.id = f.id OFFSET 0) p
	LIMIT p_limit;
END
$$;
--> statement-breakpoint
-- db/parcels.ts, erase: ids are joined, 16 octets each.
CREATE FUNCTION sealpost.erase_parcels(p_city bigint, p_enterprise bytea, p_ids bytea, p_erased_ms bigint)
RETURNS TABLE (id bytea, erased_ms bigint, now boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sealpost, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
	v_ids bytea[] := ARRAY(SELECT DISTINCT substring(p_ids, n * 16 + 1, 16) FROM generate_series(0, octet_length(p_ids) / 16 - 1) n
		ORDER BY 1);
	v_indexes bytea[];
	v_days integer[];
BEGIN
	-- A filling under way would put entries back that are deleted here.
	PERFORM pg_advisory_xact_lock(hashtext('sealpost index'));
	PERFORM 1 FROM receipts r WHERE r.city = p_city AND r.enterprise = p_enterprise AND r.id = ANY(v_ids)
		ORDER BY r.id FOR NO KEY UPDATE;
	RETURN QUERY SELECT r.id, coalesce(r.erased_ms, p_erased_ms), r.erased_ms IS NULL FROM receipts r
		WHERE r.city = p_city AND r.enterprise = p_enterprise AND r.id = ANY(v_ids);
	WITH gone AS (
		DELETE FROM parcels p USING receipts r
		WHERE r.city = p_city AND r.enterprise = p_enterprise AND r.id = ANY(v_ids) AND p.id = ANY(v_ids)
			AND p.id = r.id AND p.position = r.position
		RETURNING p.position, substring(p."full", 81, 64) AS indexes
	)
	SELECT array_agg(DISTINCT c.day), array_agg(substring(g.indexes, n * 16 + 1, 16))
		INTO v_days, v_indexes
		FROM gone g JOIN commits c ON c.first = g.position & -1024 CROSS JOIN generate_series(0, 3) n;
	DELETE FROM keyed_index k WHERE k.day = ANY(v_days) AND k.idx = ANY(v_indexes) AND k.enterprise = p_enterprise
		AND k.id = ANY(v_ids);
	UPDATE receipts r SET erased_ms = p_erased_ms
		WHERE r.city = p_city AND r.enterprise = p_enterprise AND r.id = ANY(v_ids) AND r.erased_ms IS NULL;
END
$$;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION sealpost.fill_indexes TO sealpost_edge, sealpost_maintenance;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION sealpost.read_parcels, sealpost.find_parcels, sealpost.behind, sealpost.id_ms TO sealpost_reader;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION sealpost.erase_parcels TO sealpost_erasure;
