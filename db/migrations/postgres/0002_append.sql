-- Appending: the packed batches of a commit (wire/batch.ts) are taken apart and stored in one transaction, without a loop over
-- records.
SET LOCAL ROLE sealpost_owner;
--> statement-breakpoint
CREATE FUNCTION sealpost.u32_at(p_bytes bytea, p_at integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (get_byte(p_bytes, p_at)::bigint << 24) | (get_byte(p_bytes, p_at + 1) << 16)
	| (get_byte(p_bytes, p_at + 2) << 8) | get_byte(p_bytes, p_at + 3);
--> statement-breakpoint
-- Four octets, big-endian.
CREATE FUNCTION sealpost.u32(p_value bigint) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN substring(int8send(p_value), 5, 4);
--> statement-breakpoint
-- The head and sequence of a writer, which is registered if it is new.
CREATE FUNCTION sealpost.open_writer(p_node text, p_city bigint, p_enterprise bytea)
RETURNS TABLE (writer integer, sequence bigint, head bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sealpost, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF p_node !~ '^[a-z0-9-]{1,64}$' OR p_city NOT BETWEEN 0 AND 4294967295 OR octet_length(p_enterprise) <> 16 THEN
		RAISE EXCEPTION 'not a writer' USING ERRCODE = 'SP003';
	END IF;
	FOR attempt IN 1..2 LOOP
		RETURN QUERY SELECT w.number, w.sequence, w.head FROM writers w
			WHERE w.city = p_city AND w.enterprise = p_enterprise AND w.node = p_node;
		IF FOUND THEN
			RETURN;
		END IF;
		INSERT INTO writers (node, city, enterprise, sequence, head)
			VALUES (p_node, p_city, p_enterprise, 0, decode(repeat('00', 32), 'hex'))
			ON CONFLICT DO NOTHING;
	END LOOP;
END
$$;
--> statement-breakpoint
-- Makes partitions that ids need and nobody made ahead, so that no commit waits for an operator: for ids of the last 400 days,
-- that retention has not passed, and of the next 8.
CREATE FUNCTION sealpost.check_partitions(p_from bytea, p_to bytea) RETURNS void
LANGUAGE plpgsql SET search_path = sealpost, pg_temp
AS $$
DECLARE
	v_now bigint;
	v_there boolean;
	v_passed boolean;
BEGIN
	FOR v_week IN week_of_ms(id_ms(p_from))..week_of_ms(id_ms(p_to)) LOOP
		v_there := to_regclass(partition_name('receipts', v_week)) IS NOT NULL;
		CONTINUE WHEN v_there AND to_regclass(partition_name('parcels', v_week)) IS NOT NULL;
		v_passed := ms_of_week(v_week) < (SELECT parcels_ms FROM retention);
		-- What has a receipt is still found as a duplicate; anything else finds no partition for its parcel.
		CONTINUE WHEN v_there AND v_passed;
		v_now := extract(epoch FROM clock_timestamp()) * 1000;
		IF v_passed OR v_week NOT BETWEEN week_of_ms(v_now - 400 * 86400000::bigint) AND week_of_ms(v_now + 8 * 86400000) THEN
			RAISE EXCEPTION 'an id from a time that has no partition' USING ERRCODE = 'SP004';
		END IF;
		PERFORM ensure_partitions(ms_of_week(v_week), ms_of_week(v_week));
	END LOOP;
END
$$;
--> statement-breakpoint
/*
Stores a commit after the head p_sequence, p_head of its writer (db/parcels.ts, append). Byte strings of one kind come joined,
with their lengths. `outcomes` has one octet a record (wire/codes.ts): 1 stored, 2 duplicate, 3 conflict.
Errors of our own: SP001 the writer has moved on, SP002 an epoch is missing, SP003 a batch of another city or enterprise,
SP004 an id from a time that has no partition, SP005 malformed, SP007 the session does not wait for the disk, SP008 a receipt is gone.
*/
CREATE FUNCTION sealpost.append_parcels(
	p_node text, p_city bigint, p_enterprise bytea, p_writer integer, p_sequence bigint, p_head bytea,
	p_epochs bytea, p_epoch_lengths integer[], p_batches bytea, p_batch_lengths integer[], p_committed_ms bigint,
	OUT sequence bigint, OUT head bytea, OUT outcomes bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sealpost, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	-- Of each batch: where it starts among the octets (from 0), the ordinal of its first record, how many it has.
	v_starts integer[];
	v_ordinals integer[];
	v_counts integer[];
	v_total integer;
	v_wrong boolean;
	-- Of all records, ascending.
	v_ids bytea[];
	-- Of them, those that were durable before.
	v_known bytea[] := '{}';
	v_found bytea[];
	v_first bigint;
	v_rows integer;
	v_flagged integer;
	v_receipts bytea;
	v_from bytea;
	v_to bytea;
	v_epochs bytea;
BEGIN
	IF current_setting('synchronous_commit') = 'off' THEN
		RAISE EXCEPTION 'synchronous_commit is off' USING ERRCODE = 'SP007';
	END IF;
	-- Incarnations of one writer take turns; nobody else waits here.
	PERFORM 1 FROM writers w WHERE w.number = p_writer AND w.sequence = p_sequence AND w.head = p_head
		AND w.node = p_node AND w.city = p_city AND w.enterprise = p_enterprise FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the writer has moved on' USING ERRCODE = 'SP001';
	END IF;

	SELECT array_agg(h.start ORDER BY h.batch), array_agg(h.count ORDER BY h.batch),
			array_agg((h.through - h.count)::integer ORDER BY h.batch), max(h.through), bool_or(h.wrong)
		INTO v_starts, v_counts, v_ordinals, v_total, v_wrong
		FROM (SELECT b.batch, b.start, n.count, sum(n.count) OVER (ORDER BY b.batch) AS through,
				substring(p_batches, b.start + 1, 4) <> 'SPB1' OR u32_at(p_batches, b.start + 4) <> p_city
					OR substring(p_batches, b.start + 9, 16) <> p_enterprise AS wrong
			FROM (SELECT l.batch, (sum(l.length) OVER (ORDER BY l.batch) - l.length)::integer AS start
				FROM unnest(p_batch_lengths) WITH ORDINALITY AS l (length, batch)) b
			CROSS JOIN LATERAL (SELECT u32_at(p_batches, b.start + 68)::integer AS count OFFSET 0) n) h;
	IF v_wrong THEN
		RAISE EXCEPTION 'a batch is of another city or enterprise' USING ERRCODE = 'SP003';
	END IF;
	IF v_total IS NULL OR v_total NOT BETWEEN 1 AND 1024 THEN
		RAISE EXCEPTION 'no record, or too many for one commit' USING ERRCODE = 'SP005';
	END IF;
	SELECT array_agg(r.id ORDER BY r.id) INTO v_ids
		FROM (SELECT substring(p_batches, h.start + 77 + 32 * n, 16) AS id
			FROM unnest(v_starts, v_counts) AS h (start, count), generate_series(0, h.count - 1) n) r;
	v_from := v_ids[1];
	v_to := v_ids[v_total];
	PERFORM check_partitions(v_from, v_to);

	IF octet_length(p_epochs) > 0 THEN
		INSERT INTO epochs (id, header)
			SELECT substring(p_epochs, e.ending - e.length + 9, 16), substring(p_epochs, e.ending - e.length + 1, e.length)
			FROM (SELECT l.length, (sum(l.length) OVER (ORDER BY l.n))::integer AS ending
				FROM unnest(p_epoch_lengths) WITH ORDINALITY AS l (length, n)) e
			ORDER BY 1
			ON CONFLICT DO NOTHING;
	END IF;

	v_first := nextval('positions');
	-- Most commits bring what nobody has brought before: that is tried first, and costs half of ON CONFLICT. Who stumbles looks
	-- what is there, and tries again with the rest. Sorted by id, so that two that bring the same wait for each other in one order.
	FOR attempt IN 1..5 LOOP
		BEGIN
			WITH record AS MATERIALIZED (
				SELECT h.ordinal + n AS ordinal, h.start, u32_at(p_batches, h.start + 64)::integer AS ruleset,
					substring(p_batches, h.start + 77 + 32 * n, 16) AS id, substring(p_batches, h.start + 93 + 32 * n, 16) AS content_tag,
					-- Digits: index version (5), trial code (5), warnings (10), place (6) and length (4) of either parcel.
					encode(substring(p_batches, h.start + 77 + 32 * h.count + 40 * n, 40), 'escape') AS details
				FROM unnest(v_starts, v_ordinals, v_counts) AS h (start, ordinal, count), generate_series(0, h.count - 1) n
			), fresh AS MATERIALIZED (
				SELECT r.ordinal, r.start, r.ruleset, r.id, r.content_tag, substring(r.details, 1, 5)::integer AS index_version,
					substring(r.details, 6, 5)::integer AS trial_code, substring(r.details, 11, 10)::bigint AS warnings,
					substring(r.details, 21, 6)::integer AS full_at, substring(r.details, 27, 4)::integer AS full_length,
					substring(r.details, 31, 6)::integer AS masked_at, substring(r.details, 37, 4)::integer AS masked_length
				FROM (SELECT DISTINCT ON (o.id) o.* FROM record o WHERE o.id <> ALL (v_known) ORDER BY o.id, o.ordinal) r
			), put_receipts AS (
				INSERT INTO receipts (city, enterprise, id, content_tag, index_version, warnings, trial_code, ruleset, position)
				SELECT p_city, p_enterprise, r.id, r.content_tag, r.index_version, r.warnings, r.trial_code, r.ruleset,
					v_first + r.ordinal
				FROM fresh r
			), put_parcels AS (
				INSERT INTO parcels (position, id, "full", masked)
				SELECT v_first + r.ordinal, r.id, substring(p_batches, r.start + r.full_at + 1, r.full_length),
					CASE WHEN r.masked_length > 0 THEN substring(p_batches, r.start + r.masked_at + 1, r.masked_length) END
				FROM fresh r
			)
			SELECT count(*), count(*) FILTER (WHERE r.trial_code <> 0),
					string_agg(r.id || r.content_tag, ''::bytea ORDER BY r.ordinal),
					bool_or(r.full_length = 0 OR r.start + r.full_at + r.full_length > octet_length(p_batches)
						OR r.start + r.masked_at + r.masked_length > octet_length(p_batches))
				INTO v_rows, v_flagged, v_receipts, v_wrong FROM fresh r;
			EXIT;
		EXCEPTION WHEN unique_violation OR check_violation THEN
			-- check_violation: no partition for the parcel of a record from before retention's mark.
			v_found := ARRAY(SELECT i.id FROM unnest(v_ids) AS i (id)
				CROSS JOIN LATERAL (SELECT FROM receipts k
					WHERE k.city = p_city AND k.enterprise = p_enterprise AND k.id = i.id AND k.id BETWEEN v_from AND v_to OFFSET 0) k);
			IF attempt = 5 OR cardinality(v_found) = cardinality(v_known) THEN
				RAISE;
			END IF;
			v_known := v_found;
		END;
	END LOOP;
	IF v_wrong THEN
		RAISE EXCEPTION 'malformed' USING ERRCODE = 'SP005';
	END IF;

	IF v_rows = v_total THEN
		outcomes := decode(repeat('01', v_total), 'hex');
	ELSE
		SELECT string_agg(CASE
				WHEN kept.position = v_first + r.ordinal THEN '\x01'::bytea
				WHEN kept.content_tag = substring(p_batches, r.receipt + 16, 16)
					AND kept.index_version = encode(substring(p_batches, r.details, 5), 'escape')::integer THEN '\x02'::bytea
				ELSE '\x03'::bytea
			END, ''::bytea ORDER BY r.ordinal)
			INTO outcomes
			FROM (SELECT h.ordinal + n AS ordinal, h.start + 77 + 32 * n AS receipt, h.start + 77 + 32 * h.count + 40 * n AS details
				FROM unnest(v_starts, v_ordinals, v_counts) AS h (start, ordinal, count), generate_series(0, h.count - 1) n OFFSET 0) r
			CROSS JOIN LATERAL (SELECT k.position, k.content_tag, k.index_version FROM receipts k
				WHERE k.city = p_city AND k.enterprise = p_enterprise AND k.id = substring(p_batches, r.receipt, 16)
					AND k.id BETWEEN v_from AND v_to OFFSET 0) kept;
	END IF;
	IF octet_length(outcomes) IS DISTINCT FROM v_total THEN
		RAISE EXCEPTION 'a receipt is gone' USING ERRCODE = 'SP008';
	END IF;
	IF v_rows = 0 THEN
		sequence := p_sequence;
		head := p_head;
		RETURN;
	END IF;

	-- The epochs that the stored records name.
	SELECT string_agg(n.epoch, ''::bytea), bool_or(NOT EXISTS (SELECT FROM epochs e WHERE e.id = n.epoch)) INTO v_epochs, v_wrong
		FROM (SELECT DISTINCT e.epoch FROM unnest(v_starts, v_ordinals, v_counts) AS h (start, ordinal, count)
			CROSS JOIN LATERAL (VALUES (substring(p_batches, h.start + 33, 16)), (substring(p_batches, h.start + 49, 16))) e (epoch)
			WHERE e.epoch <> '\x00000000000000000000000000000000'
				AND position('\x01'::bytea IN substring(outcomes, h.ordinal + 1, h.count)) > 0) n;
	IF v_wrong THEN
		RAISE EXCEPTION 'an epoch is missing' USING ERRCODE = 'SP002';
	END IF;

	-- wire/pull.ts, chainInput
	sequence := p_sequence + 1;
	head := sha256('sealpost chain v1'::bytea || '\x00'::bytea || p_head || u32(p_city) || p_enterprise || u32(p_writer)
		|| int8send(sequence) || u32(v_rows) || sha256(v_receipts));
	INSERT INTO commits (first, rows, writer, sequence, day, committed_ms, previous, head, epochs, receipts, flagged, from_id, to_id)
		VALUES (v_first, v_rows, p_writer, sequence, p_committed_ms / 86400000, p_committed_ms, p_head, head, v_epochs,
			v_receipts, v_flagged, v_from, v_to);
	UPDATE writers w SET sequence = append_parcels.sequence, head = append_parcels.head WHERE w.number = p_writer;
END
$$;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION sealpost.open_writer, sealpost.append_parcels TO sealpost_edge;
