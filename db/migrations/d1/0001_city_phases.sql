CREATE TABLE `city_policies` (
	`city` integer NOT NULL,
	`version` integer NOT NULL,
	`signed` blob NOT NULL,
	PRIMARY KEY(`city`, `version`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
DROP INDEX `commits_day`;--> statement-breakpoint
ALTER TABLE `commits` ADD `flagged` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `commits_day` ON `commits` (`day`,`writer`,`rows`,`flagged`);--> statement-breakpoint
ALTER TABLE `receipts` ADD `trial_code` integer DEFAULT 0 NOT NULL;