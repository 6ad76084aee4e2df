-- By hand: the roles. A cluster has them once, whatever databases it holds; an administrator may have made them before.
DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY ARRAY['sealpost_owner', 'sealpost_edge', 'sealpost_reader', 'sealpost_erasure', 'sealpost_maintenance'] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
			EXECUTE format('CREATE ROLE %I NOLOGIN', name);
		END IF;
	END LOOP;
	-- Who made the role may not act as it yet; who did not make it was granted it by whoever did.
	BEGIN
		EXECUTE format('GRANT sealpost_owner TO %I', current_user);
	EXCEPTION WHEN insufficient_privilege THEN
		NULL;
	END;
END
$$;
--> statement-breakpoint
CREATE SCHEMA "sealpost" AUTHORIZATION sealpost_owner;
--> statement-breakpoint
GRANT USAGE ON SCHEMA "sealpost" TO sealpost_edge, sealpost_reader, sealpost_erasure, sealpost_maintenance;
--> statement-breakpoint
-- Everything below belongs to sealpost_owner, who can't log in.
SET LOCAL ROLE sealpost_owner;
--> statement-breakpoint
-- Functions are for nobody unless they are granted.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
--> statement-breakpoint
CREATE SEQUENCE "sealpost"."positions" INCREMENT BY 1024 MINVALUE 1024 MAXVALUE 9223372036854775807 START WITH 1024 CACHE 1;--> statement-breakpoint
CREATE TABLE "sealpost"."certificates" (
	"city" bigint NOT NULL,
	"enterprise" "bytea" NOT NULL,
	"certificate" "bytea" NOT NULL,
	CONSTRAINT "certificates_city_enterprise_pk" PRIMARY KEY("city","enterprise")
);
--> statement-breakpoint
CREATE TABLE "sealpost"."city_policies" (
	"city" bigint NOT NULL,
	"version" bigint NOT NULL,
	"signed" "bytea" NOT NULL,
	CONSTRAINT "city_policies_city_version_pk" PRIMARY KEY("city","version")
);
--> statement-breakpoint
CREATE TABLE "sealpost"."commits" (
	"first" bigint PRIMARY KEY NOT NULL,
	"rows" integer NOT NULL,
	"writer" integer NOT NULL,
	"sequence" bigint NOT NULL,
	"day" integer NOT NULL,
	"committed_ms" bigint NOT NULL,
	"previous" "bytea" NOT NULL,
	"head" "bytea" NOT NULL,
	"epochs" "bytea" NOT NULL,
	"receipts" "bytea" NOT NULL,
	"flagged" integer DEFAULT 0 NOT NULL,
	"from_id" "bytea" NOT NULL,
	"to_id" "bytea" NOT NULL,
	CONSTRAINT "commits_sequence" UNIQUE("writer","sequence")
);
--> statement-breakpoint
CREATE TABLE "sealpost"."epochs" (
	"id" "bytea" PRIMARY KEY NOT NULL,
	"header" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sealpost"."index_mark" (
	"writer" integer PRIMARY KEY NOT NULL,
	"sequence" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sealpost"."keyed_index" (
	"day" integer NOT NULL,
	"idx" "bytea" NOT NULL,
	"enterprise" "bytea" NOT NULL,
	"id" "bytea" NOT NULL
) PARTITION BY RANGE ("day");
--> statement-breakpoint
CREATE TABLE "sealpost"."migrations" (
	"name" text PRIMARY KEY NOT NULL,
	"applied_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sealpost"."nonces" (
	"keyid" "bytea" NOT NULL,
	"nonce" text NOT NULL,
	"expires_ms" bigint NOT NULL,
	CONSTRAINT "nonces_keyid_nonce_pk" PRIMARY KEY("keyid","nonce")
);
--> statement-breakpoint
CREATE TABLE "sealpost"."parcels" (
	"position" bigint NOT NULL,
	"id" "bytea" NOT NULL,
	"full" "bytea" NOT NULL,
	"masked" "bytea",
	CONSTRAINT "parcels_position_id_pk" PRIMARY KEY("position","id")
) PARTITION BY RANGE ("id");
--> statement-breakpoint
CREATE TABLE "sealpost"."parties" (
	"id" "bytea" PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"active" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sealpost"."party_keys" (
	"keyid" "bytea" PRIMARY KEY NOT NULL,
	"party" "bytea" NOT NULL,
	"algorithm" text NOT NULL,
	"public_key" "bytea" NOT NULL,
	"active" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sealpost"."receipts" (
	"city" bigint NOT NULL,
	"enterprise" "bytea" NOT NULL,
	"id" "bytea" NOT NULL,
	"content_tag" "bytea" NOT NULL,
	"index_version" integer NOT NULL,
	"warnings" bigint NOT NULL,
	"ruleset" integer NOT NULL,
	"position" bigint NOT NULL,
	"erased_ms" bigint,
	"trial_code" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "receipts_city_enterprise_id_pk" PRIMARY KEY("city","enterprise","id")
) PARTITION BY RANGE ("id");
--> statement-breakpoint
CREATE TABLE "sealpost"."recipient_lists" (
	"version" bigint PRIMARY KEY NOT NULL,
	"signed" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sealpost"."retention" (
	"id" integer PRIMARY KEY NOT NULL,
	"parcels_ms" bigint NOT NULL,
	"receipts_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sealpost"."writers" (
	"number" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "sealpost"."writers_number_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"node" text NOT NULL,
	"city" bigint NOT NULL,
	"enterprise" "bytea" NOT NULL,
	"sequence" bigint NOT NULL,
	"head" "bytea" NOT NULL,
	CONSTRAINT "writers_key" UNIQUE("city","enterprise","node")
) WITH (fillfactor = 50);
--> statement-breakpoint
ALTER TABLE "sealpost"."party_keys" ADD CONSTRAINT "party_keys_party_parties_id_fk" FOREIGN KEY ("party") REFERENCES "sealpost"."parties"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "commits_day" ON "sealpost"."commits" USING btree ("day","writer","rows","flagged");--> statement-breakpoint
CREATE INDEX "keyed_index_key" ON "sealpost"."keyed_index" USING btree ("day","idx");--> statement-breakpoint
CREATE INDEX "nonces_expiry" ON "sealpost"."nonces" USING btree ("expires_ms");
--> statement-breakpoint
-- By hand: ciphertext and digests do not compress.
ALTER TABLE "sealpost"."parcels" ALTER "full" SET STORAGE EXTERNAL, ALTER "masked" SET STORAGE EXTERNAL;--> statement-breakpoint
ALTER TABLE "sealpost"."commits" ALTER "receipts" SET STORAGE EXTERNAL;--> statement-breakpoint
INSERT INTO "sealpost"."retention" ("id", "parcels_ms", "receipts_ms") VALUES (1, 0, 0);--> statement-breakpoint
GRANT SELECT ON "sealpost"."migrations" TO sealpost_edge, sealpost_reader, sealpost_erasure, sealpost_maintenance;--> statement-breakpoint
GRANT SELECT ON "sealpost"."writers", "sealpost"."commits", "sealpost"."epochs", "sealpost"."receipts", "sealpost"."parcels",
	"sealpost"."keyed_index", "sealpost"."index_mark", "sealpost"."retention" TO sealpost_reader;--> statement-breakpoint
GRANT SELECT ON "sealpost"."parties", "sealpost"."party_keys", "sealpost"."recipient_lists", "sealpost"."city_policies",
	"sealpost"."certificates" TO sealpost_edge, sealpost_maintenance;--> statement-breakpoint
GRANT INSERT, UPDATE ON "sealpost"."parties", "sealpost"."party_keys", "sealpost"."certificates" TO sealpost_maintenance;--> statement-breakpoint
GRANT INSERT ON "sealpost"."recipient_lists", "sealpost"."city_policies" TO sealpost_maintenance;
