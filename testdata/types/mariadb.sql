-- What MariaDB alone holds (10.5 and later; {db}_mariadb1010 needs 10.10).
-- Databases: {db}_mariadb, {db}_mariadb1010.
SET NAMES utf8mb4;
SET SESSION time_zone = '+00:00';
SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE DATABASE `{db}_mariadb` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;
USE `{db}_mariadb`;
CREATE TABLE n (n INT NOT NULL PRIMARY KEY);
INSERT INTO n VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);
INSERT INTO n SELECT a.n + 10 * b.n + 100 * c.n FROM n AS a, n AS b, n AS c WHERE b.n + c.n > 0;

CREATE SEQUENCE seq_default;
CREATE SEQUENCE seq_odd START WITH 100 INCREMENT BY -5 MINVALUE -1000 MAXVALUE 1000 CACHE 10 CYCLE;
SELECT NEXTVAL(seq_odd);
CREATE TABLE from_sequence (id BIGINT NOT NULL DEFAULT NEXTVAL(seq_default) PRIMARY KEY, v INT);
INSERT INTO from_sequence (v) VALUES (1), (2), (3);

CREATE TABLE versioned (id INT NOT NULL PRIMARY KEY, v INT, noisy INT WITHOUT SYSTEM VERSIONING) WITH SYSTEM VERSIONING;
INSERT INTO versioned VALUES (1, 1, 1), (2, 2, 2);
UPDATE versioned SET v = 10 WHERE id = 1;
DELETE FROM versioned WHERE id = 2;
CREATE TABLE versioned_columns (id INT NOT NULL PRIMARY KEY, v INT, row_start TIMESTAMP(6) GENERATED ALWAYS AS ROW START INVISIBLE, row_end TIMESTAMP(6) GENERATED ALWAYS AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME (row_start, row_end)) WITH SYSTEM VERSIONING;
INSERT INTO versioned_columns (id, v) VALUES (1, 1);
CREATE TABLE versioned_partitions (id INT NOT NULL, v INT, PRIMARY KEY (id)) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME (PARTITION p_history HISTORY, PARTITION p_current CURRENT);
INSERT INTO versioned_partitions VALUES (1, 1);
CREATE TABLE app_period (id INT NOT NULL, begins DATE NOT NULL, ends DATE NOT NULL, PERIOD FOR validity (begins, ends), PRIMARY KEY (id, validity WITHOUT OVERLAPS));
INSERT INTO app_period VALUES (1, '2024-01-01', '2024-02-01'), (1, '2024-02-01', '2024-03-01');

CREATE TABLE inet6s (id INT NOT NULL PRIMARY KEY, i INET6);
INSERT INTO inet6s VALUES (1, '::1'), (2, '2001:db8::ff00:42:8329'), (3, '::ffff:192.0.2.128'), (4, NULL), (5, 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff');
CREATE TABLE inet6_key (k INET6 NOT NULL PRIMARY KEY, v INT);
INSERT INTO inet6_key SELECT CONCAT('2001:db8::', HEX(n)), n FROM n;

CREATE TABLE compressed_columns (id INT NOT NULL PRIMARY KEY, t TEXT COMPRESSED, b BLOB COMPRESSED, v VARCHAR(500) COMPRESSED DEFAULT 'x');
INSERT INTO compressed_columns VALUES (1, REPEAT('compress me ', 500), REPEAT(x'00FF', 5000), REPEAT('y', 500)), (2, '', '', ''), (3, NULL, NULL, NULL);
CREATE TABLE persistent (id INT NOT NULL PRIMARY KEY, a INT, p INT AS (a * 3) PERSISTENT, v VARCHAR(20) AS (CONCAT('v', a)) VIRTUAL, KEY (p));
INSERT INTO persistent (id, a) VALUES (1, 1), (2, NULL);
CREATE TABLE hidden (id INT NOT NULL PRIMARY KEY, seen INT, secret VARCHAR(20) INVISIBLE DEFAULT 'dflt', must INT NOT NULL DEFAULT 5 INVISIBLE);
INSERT INTO hidden (id, seen, secret, must) VALUES (1, 1, 'x', 6), (2, NULL, NULL, 7);
INSERT INTO hidden (id, seen) VALUES (3, 3);
CREATE TABLE expressions (id INT NOT NULL PRIMARY KEY, a INT DEFAULT (id + 1), b VARCHAR(50) DEFAULT UUID(), c TEXT DEFAULT 'text it''s', d BLOB DEFAULT x'00FF', e INT CHECK (e > 0), CONSTRAINT both_columns CHECK (a > 0 OR b IS NULL));
INSERT INTO expressions (id, e) VALUES (1, 1), (2, NULL);
CREATE TABLE collations (id INT NOT NULL PRIMARY KEY, nopad VARCHAR(20) COLLATE utf8mb4_nopad_bin, uni VARCHAR(20) COLLATE utf8mb4_unicode_520_nopad_ci, gen VARCHAR(20) COLLATE utf8mb4_general_nopad_ci);
INSERT INTO collations VALUES (1, 'a', 'é', 'a'), (2, 'a ', 'a ', 'a '), (3, NULL, NULL, NULL);
CREATE TABLE no_pad_key (k VARCHAR(20) COLLATE utf8mb4_unicode_520_nopad_ci NOT NULL PRIMARY KEY, v INT);
INSERT INTO no_pad_key VALUES ('a', 1), ('a ', 2), ('a  ', 3), ('', 4), (' ', 5), ('é', 6), ('B', 7);
CREATE TABLE json_text (id INT NOT NULL PRIMARY KEY, j JSON);
INSERT INTO json_text VALUES (1, '{"a":1,"a":2}'), (2, ' [ 1 ,2 ] '), (3, '{"b": 1, "aa": 2}'), (4, NULL), (5, '169.090000');
CREATE TABLE page_compressed (id INT NOT NULL PRIMARY KEY, v TEXT) PAGE_COMPRESSED=1;
INSERT INTO page_compressed VALUES (1, REPEAT('p', 10000));
CREATE TABLE microseconds (id INT NOT NULL PRIMARY KEY, t TIME(6));
INSERT INTO microseconds VALUES (1, '838:59:59.999999'), (2, '-838:59:59.999999');
CREATE TABLE long_unique (id INT NOT NULL PRIMARY KEY, b TEXT, UNIQUE KEY (b));
INSERT INTO long_unique VALUES (1, REPEAT('a', 10000)), (2, REPEAT('b', 10000)), (3, NULL), (4, NULL);
CREATE TABLE aria_table (id INT NOT NULL PRIMARY KEY, v INT) ENGINE=Aria;
INSERT INTO aria_table VALUES (1, 1);
CREATE TABLE myisam_table (id INT NOT NULL AUTO_INCREMENT, a INT NOT NULL, PRIMARY KEY (a, id)) ENGINE=MyISAM;
INSERT INTO myisam_table (a) VALUES (1), (1), (2);

-- requires 10.10
CREATE DATABASE `{db}_mariadb1010` CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_ai_ci;
USE `{db}_mariadb1010`;
CREATE TABLE uuids (id INT NOT NULL PRIMARY KEY, u UUID, made UUID NOT NULL DEFAULT UUID());
INSERT INTO uuids VALUES (1, '123e4567-e89b-12d3-a456-426655440000', '00000000-0000-0000-0000-000000000000'), (2, NULL, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
INSERT INTO uuids (id) VALUES (3);
CREATE TABLE uuid_key (k UUID NOT NULL PRIMARY KEY, v INT);
INSERT INTO uuid_key SELECT CONCAT(LPAD(HEX((n * 2654435761) % 4294967296), 8, '0'), '-e89b-12d3-a456-', LPAD(HEX(n), 12, '0')), n FROM `{db}_mariadb`.n;
CREATE TABLE inet4s (k INET4 NOT NULL PRIMARY KEY, i INET4);
INSERT INTO inet4s VALUES ('0.0.0.0', '255.255.255.255'), ('127.0.0.1', NULL), ('10.0.0.9', '192.0.2.1');
CREATE TABLE indexes (id INT NOT NULL PRIMARY KEY, a INT, b VARCHAR(20), KEY descending (a DESC, b), KEY ignored_key (b) IGNORED);
INSERT INTO indexes SELECT n, n % 40, CONCAT('b', n) FROM `{db}_mariadb`.n;
CREATE TABLE uca1400 (k VARCHAR(20) COLLATE utf8mb4_uca1400_ai_ci NOT NULL PRIMARY KEY, cs VARCHAR(20) COLLATE utf8mb4_uca1400_as_cs);
INSERT INTO uca1400 VALUES ('é', 'É'), ('a', 'a '), ('ß', 'SS'), ('😀', NULL);
