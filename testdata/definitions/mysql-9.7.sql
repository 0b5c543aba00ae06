CREATE TABLE `a` (
  `id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `i` int DEFAULT '5',
  `z` int(5) unsigned zerofill DEFAULT NULL,
  `b` tinyint(1) DEFAULT '1',
  `d` decimal(10,3) DEFAULT '1.500',
  `f` float DEFAULT '1.5',
  `f2` float(7,3) DEFAULT NULL,
  `dbl` double DEFAULT '-10000000000',
  `bi` bit(4) DEFAULT b'101',
  `c` char(5) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT 'a''b\\',
  `v` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT 0x78F09F9880,
  `bn` binary(4) DEFAULT 0x00FF0000,
  `vb` varbinary(10) DEFAULT 'ab\0',
  `t` text DEFAULT (_utf8mb4'abc'),
  `j` json DEFAULT (json_array()),
  `e` enum('a','b''c','?','x,y)') DEFAULT 'a',
  `s` set('p','q') CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  `dt` datetime(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `ts` timestamp NULL DEFAULT '2020-01-01 00:00:00',
  `ts2` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  `y` year DEFAULT '2020',
  `tm` time(6) DEFAULT NULL,
  `g` geometry NOT NULL /*!80003 SRID 4326 */,
  `pt` point DEFAULT NULL,
  `g1` int GENERATED ALWAYS AS ((`i` + (1 * 2))) VIRTUAL COMMENT 'c''o;m\nx',
  `g2` varchar(50) GENERATED ALWAYS AS (concat(`v`,_utf8mb4'é',upper(`c`))) STORED NOT NULL,
  `inv` int DEFAULT '7' /*!80023 INVISIBLE */,
  `u` binary(16) DEFAULT (uuid_to_bin(uuid())),
  `jj` varchar(20) GENERATED ALWAYS AS (json_unquote(json_extract(`j`,_utf8mb4'$.a'))) VIRTUAL,
  `vec` vector(3) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `u1` (`c`),
  KEY `k1` (`v`(5),`i` DESC),
  SPATIAL KEY `sp` (`g`),
  KEY `kb` (`i`) USING BTREE,
  KEY `fn` ((lower(`v`)),`i`) COMMENT 'kc' /*!80000 INVISIBLE */,
  KEY `mv` ((cast(json_extract(`j`,_utf8mb4'$.z') as unsigned array))),
  FULLTEXT KEY `ft` (`t`) /*!50100 WITH PARSER `ngram` */ ,
  CONSTRAINT `a_chk_1` CHECK ((`i` > 0)),
  CONSTRAINT `ck` CHECK ((((`i` < 100) and (`d` is not null)) or (`v` like _utf8mb4'a%'))) /*!80016 NOT ENFORCED */
) ENGINE=InnoDB AUTO_INCREMENT=77 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci STATS_PERSISTENT=1 STATS_SAMPLE_PAGES=30 ROW_FORMAT=DYNAMIC COMMENT='t''x\\y'
;;
CREATE TABLE `b` (
  `id` int NOT NULL,
  `d` date NOT NULL,
  PRIMARY KEY (`id`,`d`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
/*!50100 PARTITION BY RANGE (year(`d`))
SUBPARTITION BY HASH (to_days(`d`))
SUBPARTITIONS 2
(PARTITION p0 VALUES LESS THAN (2000) COMMENT = 'x' ENGINE = InnoDB,
 PARTITION p1 VALUES LESS THAN MAXVALUE ENGINE = InnoDB) */
;;
CREATE TABLE `c` (
  `id` int NOT NULL,
  `a` varchar(10) COLLATE utf8mb4_general_ci DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
/*!50100 PARTITION BY KEY (id)
PARTITIONS 3 */
;;
CREATE TABLE `c2` (
  `a` int DEFAULT NULL,
  `b` varchar(10) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
/*!50500 PARTITION BY LIST  COLUMNS(a,b)
(PARTITION x VALUES IN ((1,'a'),(2,'b')) ENGINE = InnoDB,
 PARTITION `y z` VALUES IN ((3,NULL)) ENGINE = InnoDB) */
;;
CREATE TABLE `ch` (
  `x` int NOT NULL,
  `a` int DEFAULT NULL,
  `b` int DEFAULT NULL,
  PRIMARY KEY (`x`),
  KEY `f1` (`a`,`b`),
  KEY `b` (`b`),
  CONSTRAINT `ch_ibfk_1` FOREIGN KEY (`b`) REFERENCES `par` (`b`),
  CONSTRAINT `f1` FOREIGN KEY (`a`, `b`) REFERENCES `par` (`a`, `b`) ON DELETE CASCADE ON UPDATE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
;;
CREATE TABLE `par` (
  `a` int NOT NULL,
  `b` int NOT NULL,
  PRIMARY KEY (`a`,`b`),
  UNIQUE KEY `b` (`b`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
;;
CREATE TABLE `my` (
  `id` int DEFAULT NULL
) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci MIN_ROWS=10 MAX_ROWS=1000 AVG_ROW_LENGTH=55 PACK_KEYS=1 CHECKSUM=1 DELAY_KEY_WRITE=1 ROW_FORMAT=FIXED
;;
CREATE TABLE `mem` (
  `id` int DEFAULT NULL,
  KEY `id` (`id`) USING HASH
) ENGINE=MEMORY DEFAULT CHARSET=latin1
;;
CREATE TABLE `comp` (
  `id` int NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8
;;
CREATE TABLE `gen` (
  `a` int DEFAULT NULL,
  `b` int DEFAULT ((`a` + 1)),
  `c` date DEFAULT (curdate()),
  `d` varchar(36) DEFAULT (uuid()),
  `e` int GENERATED ALWAYS AS ((case when (`a` > 1) then 2 else 3 end)) VIRTUAL,
  `f` int GENERATED ALWAYS AS (if((`a` between 1 and 3),(`a` in (1,2)),(0 = `a`))) VIRTUAL,
  `g` int GENERATED ALWAYS AS ((-(`a`) DIV 2)) VIRTUAL,
  `h` varchar(9) GENERATED ALWAYS AS ((cast(`a` as char(9) charset utf8mb4) collate utf8mb4_bin)) VIRTUAL,
  `i` double GENERATED ALWAYS AS ((((`a` * 1.0e0) % 3) + ((`a` - (`b` - 1)) * 2))) VIRTUAL,
  `j` datetime GENERATED ALWAYS AS ((`c` + interval 1 day)) VIRTUAL,
  `k` int GENERATED ALWAYS AS (((`a` <=> 3) xor (0 <> `b`))) VIRTUAL,
  `l` int GENERATED ALWAYS AS (json_extract(`d`,_utf8mb4'$.x')) VIRTUAL,
  `m` int GENERATED ALWAYS AS (((`a` ^ 3) | (~(`a`) & (2 << 1)))) VIRTUAL,
  `n` varchar(9) GENERATED ALWAYS AS (trim(both _utf8mb4'x' from `d`)) VIRTUAL,
  `o` varchar(9) GENERATED ALWAYS AS (substr(`d`,1,2)) VIRTUAL,
  `p` int GENERATED ALWAYS AS (extract(year from `c`)) VIRTUAL,
  `q` int GENERATED ALWAYS AS (regexp_like(`d`,_utf8mb4'^a')) VIRTUAL,
  `r` varchar(20) GENERATED ALWAYS AS ((`d` collate utf8mb4_bin)) VIRTUAL,
  `s` int GENERATED ALWAYS AS (((0 <> `a`) is true)) VIRTUAL,
  `t` int GENERATED ALWAYS AS ((not((`d` like _utf8mb4'a!%' escape _utf8mb4'!')))) VIRTUAL,
  `u` varchar(3) GENERATED ALWAYS AS (ifnull(coalesce(`d`,NULL),_utf8mb4'')) VIRTUAL,
  `v` int GENERATED ALWAYS AS ((0 = `a`)) VIRTUAL,
  `w` int GENERATED ALWAYS AS ((((0 <> `a`) and (0 <> `b`)) or (DATE'0000-00-00' = `c`))) VIRTUAL,
  `x` varbinary(3) GENERATED ALWAYS AS (cast(`d` as char charset binary)) VIRTUAL,
  `y` int GENERATED ALWAYS AS (cast(`d` as signed)) VIRTUAL,
  `z` int GENERATED ALWAYS AS (locate(_utf8mb4'a',`d`)) VIRTUAL,
  CONSTRAINT `gen_chk_1` CHECK ((`a` <> `b`)),
  CONSTRAINT `gen_chk_2` CHECK ((`d` in (_utf8mb4'x',_utf8mb4'y')))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
;;
CREATE TABLE `we``ird name` (
  `a``b` int NOT NULL,
  `sel ect` int DEFAULT NULL,
  PRIMARY KEY (`a``b`),
  KEY `k``x` (`sel ect`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='-- /* '
;;
CREATE TABLE `ch` (
  `x` int NOT NULL,
  `b` int DEFAULT NULL,
  PRIMARY KEY (`x`),
  KEY `f2` (`b`),
  CONSTRAINT `f2` FOREIGN KEY (`b`) REFERENCES `p`.`par` (`b`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
;;
CREATE TABLE `cmp2` (
  `id` int NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMPRESSION='zlib'
;;
CREATE TABLE `asz` (
  `id` int NOT NULL,
  PRIMARY KEY (`id`)
) /*!80023 AUTOEXTEND_SIZE=4194304 */ ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
