-- One-time nonces: the edge may use them up, and neither read nor delete them.
SET LOCAL ROLE sealpost_owner;
--> statement-breakpoint
-- db/control.ts, useNonce. Those that another call is deleting are left to it.
CREATE FUNCTION sealpost.use_nonce(p_keyid bytea, p_nonce text, p_expires_ms bigint, p_now_ms bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = sealpost, pg_temp
AS $$
BEGIN
	DELETE FROM nonces n WHERE n.ctid = ANY(ARRAY(
		SELECT o.ctid FROM nonces o WHERE o.expires_ms < p_now_ms ORDER BY o.expires_ms LIMIT 100 FOR UPDATE SKIP LOCKED));
	DELETE FROM nonces n WHERE n.keyid = p_keyid AND n.nonce = p_nonce AND n.expires_ms < p_now_ms;
	INSERT INTO nonces (keyid, nonce, expires_ms) VALUES (p_keyid, p_nonce, p_expires_ms) ON CONFLICT DO NOTHING;
	RETURN FOUND;
END
$$;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION sealpost.use_nonce TO sealpost_edge;
