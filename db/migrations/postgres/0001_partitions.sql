-- Weekly partitions. A week starts on Monday, 00:00 UTC; week 0 is that of 1970-01-05. `receipts` and `parcels` go by the
-- time in the record id (RFC 9562 section 5.7), `keyed_index` by the day of the commit.
SET LOCAL ROLE sealpost_owner;
--> statement-breakpoint
-- Milliseconds since 1970 in a UUIDv7.
CREATE FUNCTION sealpost.id_ms(p_id bytea) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (get_byte(p_id, 0)::bigint << 40) | (get_byte(p_id, 1)::bigint << 32) | (get_byte(p_id, 2)::bigint << 24)
	| (get_byte(p_id, 3)::bigint << 16) | (get_byte(p_id, 4)::bigint << 8) | get_byte(p_id, 5);
--> statement-breakpoint
CREATE FUNCTION sealpost.week_of_ms(p_ms bigint) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN floor((p_ms - 345600000) / 604800000.0)::integer;
--> statement-breakpoint
-- Milliseconds since 1970 at which a week starts.
CREATE FUNCTION sealpost.ms_of_week(p_week integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 345600000 + p_week * 604800000::bigint;
--> statement-breakpoint
-- Name of a table's partition: that of the table and the date of its Monday.
CREATE FUNCTION sealpost.partition_name(p_table text, p_week integer) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN p_table || '_' || to_char(to_timestamp(sealpost.ms_of_week(p_week) / 1000) AT TIME ZONE 'UTC', 'YYYYMMDD');
--> statement-breakpoint
-- Where a week starts, as a literal of the partition key: the first octets of an id, or a day.
CREATE FUNCTION sealpost.partition_bound(p_table text, p_week integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE p_table
	WHEN 'keyed_index' THEN (sealpost.ms_of_week(p_week) / 86400000)::text
	ELSE '\x' || lpad(to_hex(greatest(sealpost.ms_of_week(p_week), 0)), 12, '0')
END;
--> statement-breakpoint
-- Makes one partition if it is not there. It is filled in apart and then attached, which stops neither readers nor writers.
CREATE FUNCTION sealpost.ensure_partition(p_table text, p_week integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sealpost, pg_temp
AS $$
DECLARE
	v_name text := partition_name(p_table, p_week);
BEGIN
	IF to_regclass(v_name) IS NOT NULL THEN
		RETURN false;
	END IF;
	PERFORM pg_advisory_xact_lock(hashtext('sealpost partitions'));
	-- Looked up in the table itself: to_regclass may still go by what this session knew before it waited.
	IF EXISTS (SELECT FROM pg_class c WHERE c.relname = v_name AND c.relnamespace = 'sealpost'::regnamespace) THEN
		RETURN false;
	END IF;
	EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', v_name, p_table);
	EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', p_table, v_name,
		partition_bound(p_table, p_week), partition_bound(p_table, p_week + 1));
	RETURN true;
END
$$;
--> statement-breakpoint
-- Makes the partitions of all three tables for the weeks from..until (ms since 1970, both included). Returns how many are new.
CREATE FUNCTION sealpost.ensure_partitions(p_from_ms bigint, p_until_ms bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sealpost, pg_temp
AS $$
BEGIN
	IF week_of_ms(p_until_ms) - week_of_ms(p_from_ms) > 520 THEN
		RAISE EXCEPTION 'more than ten years of partitions' USING ERRCODE = 'SP006';
	END IF;
	RETURN count(*) FROM generate_series(week_of_ms(p_from_ms), week_of_ms(p_until_ms)) AS w (week)
		CROSS JOIN unnest(ARRAY['receipts', 'parcels', 'keyed_index']) AS t (name)
		WHERE ensure_partition(t.name, w.week);
END
$$;
--> statement-breakpoint
-- All partitions, with the times of ids (or commits) that they hold, ms since 1970, and the octets that they take on disk.
CREATE FUNCTION sealpost.partitions()
RETURNS TABLE (table_name text, name text, from_ms bigint, until_ms bigint, bytes bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = sealpost, pg_temp
AS $$
	SELECT parent.relname, child.relname, start.ms, start.ms + 604800000, pg_total_relation_size(child.oid)
	FROM pg_inherits i
	JOIN pg_class parent ON parent.oid = i.inhparent AND parent.relkind = 'p' AND parent.relnamespace = 'sealpost'::regnamespace
	JOIN pg_class child ON child.oid = i.inhrelid
	CROSS JOIN LATERAL (SELECT
		extract(epoch FROM to_date(right(child.relname, 8), 'YYYYMMDD')::timestamp)::bigint * 1000 AS ms) start
	ORDER BY start.ms, parent.relname
$$;
--> statement-breakpoint
-- Ends the term of payloads (parcels and keyed indexes), or of receipts, whose week ended before a time. Returns what went.
-- A receipt never goes before its payload.
CREATE FUNCTION sealpost.drop_partitions(p_what text, p_before_ms bigint) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sealpost, pg_temp SET lock_timeout = '5s'
AS $$
DECLARE
	v_week integer := week_of_ms(p_before_ms);
	v_tables text[] := CASE p_what WHEN 'payloads' THEN ARRAY['parcels', 'keyed_index'] WHEN 'receipts' THEN ARRAY['receipts'] END;
	v_name text;
BEGIN
	IF v_tables IS NULL OR (p_what = 'receipts' AND ms_of_week(v_week) > (SELECT parcels_ms FROM retention)) THEN
		RAISE EXCEPTION 'nothing of that name, or payloads still there' USING ERRCODE = 'SP006';
	END IF;
	FOR v_name IN
		SELECT p.name FROM partitions() p WHERE p.table_name = ANY(v_tables) AND p.until_ms <= ms_of_week(v_week)
	LOOP
		EXECUTE format('DROP TABLE %I', v_name);
		RETURN NEXT v_name;
	END LOOP;
	IF p_what = 'payloads' THEN
		UPDATE retention SET parcels_ms = greatest(parcels_ms, ms_of_week(v_week));
	ELSE
		UPDATE retention SET receipts_ms = greatest(receipts_ms, ms_of_week(v_week));
	END IF;
END
$$;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION sealpost.ensure_partitions, sealpost.drop_partitions, sealpost.partitions TO sealpost_maintenance;
