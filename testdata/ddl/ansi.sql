-- Statements under sql_mode ANSI_QUOTES and NO_BACKSLASH_ESCAPES.

CREATE TABLE "customers" ("id" INT PRIMARY KEY, "name" VARCHAR(40) DEFAULT 'back\')

CREATE TABLE "db"."orders" ("id" INT PRIMARY KEY, "c" INT COMMENT 'a\', CONSTRAINT "f" FOREIGN KEY ("c") REFERENCES "customers" ("id"))

CREATE VIEW "v" AS SELECT "customers"."id", "db"."customers"."name" FROM "customers"

RENAME TABLE "orders" TO "o""x"

DROP TABLE "o""x"
