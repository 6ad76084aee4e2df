CREATE TABLE `batches` (
	`first` integer PRIMARY KEY NOT NULL,
	`commit_first` integer NOT NULL,
	`rows` integer NOT NULL,
	`ruleset` integer NOT NULL,
	`data` blob NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `certificates` (
	`city` integer NOT NULL,
	`enterprise` blob NOT NULL,
	`certificate` blob NOT NULL,
	PRIMARY KEY(`city`, `enterprise`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `city_policies` (
	`city` integer NOT NULL,
	`version` integer NOT NULL,
	`signed` blob NOT NULL,
	PRIMARY KEY(`city`, `version`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `commits` (
	`first` integer PRIMARY KEY NOT NULL,
	`rows` integer NOT NULL,
	`writer` integer NOT NULL,
	`sequence` integer NOT NULL,
	`day` integer NOT NULL,
	`committed_ms` integer NOT NULL,
	`previous` blob NOT NULL,
	`head` blob NOT NULL,
	`epochs` blob NOT NULL,
	`receipts` blob NOT NULL,
	`flagged` integer DEFAULT 0 NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `commits_day` ON `commits` (`day`,`writer`,`rows`,`flagged`);--> statement-breakpoint
CREATE UNIQUE INDEX `commits_sequence` ON `commits` (`writer`,`sequence`);--> statement-breakpoint
CREATE TABLE `epochs` (
	`id` blob PRIMARY KEY NOT NULL,
	`header` blob NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `index_mark` (
	`id` integer PRIMARY KEY NOT NULL,
	`position` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `keyed_index` (
	`day` integer NOT NULL,
	`idx` blob NOT NULL,
	`enterprise` blob NOT NULL,
	`id` blob NOT NULL,
	PRIMARY KEY(`day`, `idx`, `enterprise`, `id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `nonces` (
	`keyid` blob NOT NULL,
	`nonce` text NOT NULL,
	`expires_ms` integer NOT NULL,
	PRIMARY KEY(`keyid`, `nonce`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `nonces_expiry` ON `nonces` (`expires_ms`);--> statement-breakpoint
CREATE TABLE `parties` (
	`id` blob PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`active` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `party_keys` (
	`keyid` blob PRIMARY KEY NOT NULL,
	`party` blob NOT NULL,
	`algorithm` text NOT NULL,
	`public_key` blob NOT NULL,
	`active` integer NOT NULL,
	FOREIGN KEY (`party`) REFERENCES `parties`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `receipts` (
	`city` integer NOT NULL,
	`enterprise` blob NOT NULL,
	`id` blob NOT NULL,
	`content_tag` blob NOT NULL,
	`index_version` integer NOT NULL,
	`warnings` integer NOT NULL,
	`ruleset` integer NOT NULL,
	`position` integer NOT NULL,
	`erased_ms` integer,
	`trial_code` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`city`, `enterprise`, `id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `recipient_lists` (
	`version` integer PRIMARY KEY NOT NULL,
	`signed` blob NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `writers` (
	`number` integer PRIMARY KEY NOT NULL,
	`node` text NOT NULL,
	`city` integer NOT NULL,
	`enterprise` blob NOT NULL,
	`sequence` integer NOT NULL,
	`head` blob NOT NULL
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `writers_key` ON `writers` (`city`,`enterprise`,`node`);