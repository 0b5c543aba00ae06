-- What MySQL alone holds (8.0.23 and later; the last database needs 9.0).
-- Databases: {db}_mysql, {db}_mysql9.
SET NAMES utf8mb4;
SET SESSION time_zone = '+00:00';
SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
CREATE DATABASE `{db}_mysql` CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci;
USE `{db}_mysql`;
CREATE TABLE n (n INT NOT NULL PRIMARY KEY);
INSERT INTO n VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);
INSERT INTO n SELECT a.n + 10 * b.n + 100 * c.n FROM n AS a, n AS b, n AS c WHERE b.n + c.n > 0;

CREATE TABLE indexes (
  id INT NOT NULL PRIMARY KEY, a INT, b VARCHAR(50), j JSON,
  KEY functional ((a + 1)), KEY functional_text ((LOWER(b)), a), UNIQUE KEY functional_unique ((CONCAT(id, '-', b))), KEY descending (a DESC, b ASC), KEY invisible_key (b) INVISIBLE,
  KEY many_numbers ((CAST(j->'$.numbers' AS UNSIGNED ARRAY))), KEY many_words ((CAST(j->'$.words' AS CHAR(20) ARRAY)))
);
INSERT INTO indexes SELECT n, n % 50, CONCAT('B', n), JSON_OBJECT('numbers', JSON_ARRAY(n, n + 1), 'words', JSON_ARRAY('w1', CONCAT('w', n))) FROM n;
CREATE TABLE descending_key (a INT NOT NULL, b VARCHAR(10) NOT NULL, PRIMARY KEY (a DESC, b));
INSERT INTO descending_key SELECT n % 30, CONCAT('x', n) FROM n;
CREATE TABLE parsed_text (id INT NOT NULL PRIMARY KEY, t TEXT, FULLTEXT KEY ft (t) WITH PARSER ngram);
INSERT INTO parsed_text VALUES (1, '日本語の文章'), (2, 'words');

-- JSON is binary: the type tags below have no spelling in JSON text.
CREATE TABLE json_types (id INT NOT NULL PRIMARY KEY, j JSON);
INSERT INTO json_types VALUES
  (1, JSON_OBJECT('a', CAST(169.09 AS DECIMAL(12,6)))), (2, JSON_ARRAY(CAST('2024-02-29' AS DATE), CAST('2024-02-29 12:34:56.789' AS DATETIME(3)), CAST('-12:00:01.25' AS TIME(2)))),
  (3, JSON_ARRAY(1, -1, 18446744073709551615, -9223372036854775808, 1.5e0, 1.50)), (4, '[9088544342.689999, 0.1, 1e308, 5e-324, -0.0]'), (5, CAST(x'00FF5C27' AS JSON)), (6, JSON_OBJECT('blob', CAST(x'DEADBEEF' AS BINARY))),
  (7, JSON_OBJECT('bit', b'101', 'year', CAST(2024 AS YEAR))), (8, 'null'), (9, NULL), (10, '{"b": 1, "aa": 2, "a": 3}'), (11, JSON_ARRAY(REPEAT('x', 70000))), (12, '"\\u0000\\ud83d\\ude00"'), (13, JSON_OBJECT('ts', TIMESTAMP '2024-11-03 05:30:00.123456')),
  (14, JSON_ARRAY(CAST(0 AS DECIMAL(65,30)), CAST('99999999999999999999999999999999999.999999999999999999999999999999' AS DECIMAL(65,30)), 1e16, 123456789012345680000)),
  (15, JSON_OBJECT('g', ST_GeomFromText('POINT(1 2)')));

CREATE TABLE geometry_srid (id INT NOT NULL PRIMARY KEY, p POINT NOT NULL SRID 4326, g GEOMETRY NOT NULL SRID 0, free GEOMETRY, SPATIAL KEY (p), SPATIAL KEY (g));
INSERT INTO geometry_srid VALUES (1, ST_GeomFromText('POINT(52.5 13.4)', 4326), ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POINT(1 2)', 3857)), (2, ST_GeomFromText('POINT(-90 180)', 4326), ST_GeomFromText('LINESTRING(0 0,1 1)'), NULL), (3, ST_GeomFromText('POINT(0.1 0.2)', 4326), ST_GeomFromText('GEOMETRYCOLLECTION()'), ST_GeomFromText('POINT(10 20)', 4326));

-- Collations with no counterpart elsewhere; 0900 ones do not pad.
CREATE TABLE collations (id INT NOT NULL PRIMARY KEY, ai VARCHAR(20) COLLATE utf8mb4_0900_ai_ci, cs VARCHAR(20) COLLATE utf8mb4_0900_as_cs, bin VARCHAR(20) COLLATE utf8mb4_0900_bin, ja VARCHAR(20) COLLATE utf8mb4_ja_0900_as_cs, de VARCHAR(20) COLLATE utf8mb4_de_pb_0900_ai_ci, gb VARCHAR(20) CHARACTER SET gb18030);
INSERT INTO collations VALUES (1, 'é', 'É', 'é', '日本', 'ß', '你好'), (2, 'a ', 'a ', 'a ', 'a ', 'a ', _gb18030 x'815C'), (3, '', '', '', '', '', ''), (4, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE no_pad_key (k VARCHAR(20) COLLATE utf8mb4_0900_ai_ci NOT NULL PRIMARY KEY, v INT);
INSERT INTO no_pad_key VALUES ('a', 1), ('a ', 2), ('a  ', 3), ('', 4), (' ', 5), ('é', 6), ('B', 7), ('ss', 8), ('😀', 9), ('c', 10), ('D', 11), ('_', 12);
INSERT INTO no_pad_key SELECT CONCAT(ELT(1 + n % 5, 'é', 'Z', 'œ', 'ä', '日'), n), n FROM n;
CREATE TABLE case_key (k VARCHAR(20) COLLATE utf8mb4_0900_as_cs NOT NULL PRIMARY KEY, v INT);
INSERT INTO case_key VALUES ('a', 1), ('A', 2), ('á', 3), ('Á', 4), ('b', 5), ('B', 6);

CREATE TABLE hidden (id INT NOT NULL PRIMARY KEY, seen INT, secret VARCHAR(20) DEFAULT 'dflt' INVISIBLE, twice INT GENERATED ALWAYS AS (seen * 2) STORED INVISIBLE);
INSERT INTO hidden (id, seen, secret) VALUES (1, 1, 'x'), (2, NULL, NULL);
INSERT INTO hidden (id, seen) VALUES (3, 3);
SET SESSION sql_generate_invisible_primary_key = ON;
CREATE TABLE generated_key (a INT, b VARCHAR(10));
SET SESSION sql_generate_invisible_primary_key = OFF;
INSERT INTO generated_key SELECT n % 7, CONCAT('v', n % 3) FROM n;

CREATE TABLE expressions (
  id INT NOT NULL PRIMARY KEY, u BINARY(16) DEFAULT (UUID_TO_BIN(UUID())), j JSON DEFAULT (JSON_OBJECT('k', 'it''s')), t TEXT DEFAULT (_utf8mb4'text'), p POINT DEFAULT (ST_GeomFromText('POINT(0 0)')), d DATE DEFAULT (CURRENT_DATE + INTERVAL 1 DAY), a INT, b INT AS (a + 1) VIRTUAL NOT NULL,
  js VARCHAR(20) GENERATED ALWAYS AS (j->>'$.k') VIRTUAL, CONSTRAINT c_enforced CHECK (a <> 13), CONSTRAINT c_loose CHECK (a > 1000) NOT ENFORCED, CHECK (JSON_TYPE(j) <> 'NULL'), KEY (js)
);
INSERT INTO expressions (id, a) VALUES (1, 1), (2, 5000), (3, 0);
CREATE TABLE column_options (id INT NOT NULL PRIMARY KEY, c VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin STORAGE MEMORY COLUMN_FORMAT FIXED) COMPRESSION='NONE';
INSERT INTO column_options VALUES (1, 'x');
CREATE TABLE partial_foreign (id INT NOT NULL PRIMARY KEY, r INT, UNIQUE KEY (r), FOREIGN KEY (r) REFERENCES n (n) ON UPDATE CASCADE);
INSERT INTO partial_foreign VALUES (1, 1), (2, NULL);

-- requires 9.0
CREATE DATABASE `{db}_mysql9` CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci;
USE `{db}_mysql9`;
CREATE TABLE vectors (id INT NOT NULL PRIMARY KEY, v VECTOR(3), big VECTOR);
INSERT INTO vectors VALUES (1, STRING_TO_VECTOR('[1,2.5,-3e10]'), STRING_TO_VECTOR('[0.1]')), (2, STRING_TO_VECTOR('[0.010516252390057362,16777217,1e-30]'), NULL), (3, NULL, NULL);
