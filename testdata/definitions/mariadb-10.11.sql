CREATE TABLE `a` (
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `i` int(11) DEFAULT 5,
  `z` int(5) unsigned zerofill DEFAULT NULL,
  `b` tinyint(1) DEFAULT 1,
  `d` decimal(10,3) DEFAULT 1.500,
  `f` float DEFAULT 1.5,
  `f2` float(7,3) DEFAULT NULL,
  `dbl` double DEFAULT -10000000000,
  `bi` bit(4) DEFAULT b'101',
  `c` char(5) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT 'a''b\\',
  `v` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT 'x?',
  `bn` binary(4) DEFAULT NULL,
  `vb` varbinary(10) DEFAULT 'ab\0',
  `t` text DEFAULT 'abc',
  `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT json_array() CHECK (json_valid(`j`)),
  `e` enum('a','b''c','?','x,y)') DEFAULT 'a',
  `s` set('p','q') CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  `dt` datetime(3) DEFAULT current_timestamp(3) ON UPDATE current_timestamp(3),
  `ts` timestamp NULL DEFAULT '2020-01-01 00:00:00',
  `ts2` timestamp NOT NULL DEFAULT current_timestamp(),
  `y` year(4) DEFAULT 2020,
  `tm` time(6) DEFAULT NULL,
  `g` geometry NOT NULL,
  `pt` point DEFAULT NULL,
  `g1` int(11) GENERATED ALWAYS AS (`i` + 1 * 2) VIRTUAL COMMENT 'c''o;m\nx',
  `g2` varchar(50) GENERATED ALWAYS AS (concat(`v`,'é',lcase(`v`))) STORED,
  `inv` int(11) INVISIBLE DEFAULT 7,
  `u` uuid DEFAULT uuid(),
  `i6` inet6 DEFAULT NULL,
  `i4` inet4 DEFAULT NULL,
  `sqn` bigint(20) DEFAULT nextval(`p`.`sq`),
  `cp` varchar(30) /*M!100301 COMPRESSED*/ DEFAULT NULL,
  `ct` text /*M!100301 COMPRESSED*/ DEFAULT 'x',
  `jj` varchar(20) GENERATED ALWAYS AS (json_value(`j`,'$.a')) VIRTUAL,
  `ck2` int(11) DEFAULT NULL CHECK (`ck2` > 4),
  `uc` varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_ai_ci DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `u1` (`c`),
  UNIQUE KEY `lu` (`t`) USING HASH,
  KEY `k1` (`v`(5),`i` DESC),
  SPATIAL KEY `sp` (`g`),
  KEY `ig` (`i`) COMMENT 'kc' IGNORED,
  KEY `kb` (`i`) USING BTREE KEY_BLOCK_SIZE=4,
  FULLTEXT KEY `ft` (`t`),
  CONSTRAINT `CONSTRAINT_1` CHECK (`i` > 0),
  CONSTRAINT `ck` CHECK (`i` < 100 and `d` is not null or `v` like 'a%')
) ENGINE=InnoDB AUTO_INCREMENT=77 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci STATS_PERSISTENT=1 STATS_SAMPLE_PAGES=30 PAGE_CHECKSUM=1 ROW_FORMAT=DYNAMIC COMMENT='t''x\\y'
;;
CREATE TABLE `b` (
  `id` int(11) NOT NULL,
  `d` date NOT NULL,
  PRIMARY KEY (`id`,`d`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
 PARTITION BY RANGE (year(`d`))
SUBPARTITION BY HASH (to_days(`d`))
SUBPARTITIONS 2
(PARTITION `p0` VALUES LESS THAN (2000) COMMENT = 'x' ENGINE = InnoDB,
 PARTITION `p1` VALUES LESS THAN MAXVALUE ENGINE = InnoDB)
;;
CREATE TABLE `c` (
  `id` int(11) NOT NULL,
  `a` varchar(10) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
 PARTITION BY KEY (`id`)
PARTITIONS 3
;;
CREATE TABLE `c2` (
  `a` int(11) DEFAULT NULL,
  `b` varchar(10) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
 PARTITION BY LIST  COLUMNS(`a`,`b`)
(PARTITION `x` VALUES IN ((1,'a'),(2,'b')) ENGINE = InnoDB,
 PARTITION `y z` VALUES IN ((3,NULL)) ENGINE = InnoDB)
;;
CREATE TABLE `ch` (
  `x` int(11) NOT NULL,
  `a` int(11) DEFAULT NULL,
  `b` int(11) DEFAULT NULL,
  PRIMARY KEY (`x`),
  KEY `f1` (`a`,`b`),
  KEY `b` (`b`),
  CONSTRAINT `ch_ibfk_1` FOREIGN KEY (`b`) REFERENCES `par` (`b`),
  CONSTRAINT `f1` FOREIGN KEY (`a`, `b`) REFERENCES `par` (`a`, `b`) ON DELETE CASCADE ON UPDATE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
;;
CREATE TABLE `par` (
  `a` int(11) NOT NULL,
  `b` int(11) NOT NULL,
  PRIMARY KEY (`a`,`b`),
  UNIQUE KEY `b` (`b`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
;;
CREATE TABLE `my` (
  `id` int(11) DEFAULT NULL
) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci MIN_ROWS=10 MAX_ROWS=1000 AVG_ROW_LENGTH=55 PACK_KEYS=1 CHECKSUM=1 DELAY_KEY_WRITE=1 ROW_FORMAT=FIXED
;;
CREATE TABLE `mem` (
  `id` int(11) DEFAULT NULL,
  KEY `id` (`id`) USING HASH
) ENGINE=MEMORY DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
;;
CREATE TABLE `comp` (
  `id` int(11) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8
;;
CREATE TABLE `gen` (
  `a` int(11) DEFAULT NULL,
  `b` int(11) DEFAULT (`a` + 1),
  `c` date DEFAULT curdate(),
  `d` varchar(36) DEFAULT uuid(),
  `e` int(11) GENERATED ALWAYS AS (case when `a` > 1 then 2 else 3 end) VIRTUAL,
  `f` int(11) GENERATED ALWAYS AS (if(`a` between 1 and 3,`a` in (1,2),`a` = 0)) VIRTUAL,
  `g` int(11) GENERATED ALWAYS AS (-`a` DIV 2) VIRTUAL,
  `h` varchar(9) GENERATED ALWAYS AS (cast(`a` as char(9) charset utf8mb4) collate utf8mb4_bin) VIRTUAL,
  `i` double GENERATED ALWAYS AS (`a` * 1.0e0 MOD 3 + (`a` - (`b` - 1)) * 2) VIRTUAL,
  `j` datetime GENERATED ALWAYS AS (`c` + interval 1 day) VIRTUAL,
  `k` int(11) GENERATED ALWAYS AS (`a` <=> 3 xor `b`) VIRTUAL,
  `l` int(11) GENERATED ALWAYS AS (json_extract(`d`,'$.x')) VIRTUAL,
  `m` int(11) GENERATED ALWAYS AS (`a` ^ 3 | ~`a` & 2 << 1) VIRTUAL,
  `n` varchar(9) GENERATED ALWAYS AS (trim(both 'x' from `d`)) VIRTUAL,
  `o` varchar(9) GENERATED ALWAYS AS (substr(`d`,1,2)) VIRTUAL,
  `p` int(11) GENERATED ALWAYS AS (extract(year from `c`)) VIRTUAL,
  `q` int(11) GENERATED ALWAYS AS (`d` regexp '^a') VIRTUAL,
  `r` varchar(20) GENERATED ALWAYS AS (`d` collate utf8mb4_bin) VIRTUAL,
  `s` int(11) GENERATED ALWAYS AS (`a` is true) VIRTUAL,
  `t` int(11) GENERATED ALWAYS AS (`d`  not like 'a!%' escape '!') VIRTUAL,
  `u` varchar(3) GENERATED ALWAYS AS (ifnull(coalesce(`d`,NULL),'')) VIRTUAL,
  `v` int(11) GENERATED ALWAYS AS (`a` = 0) VIRTUAL,
  `w` int(11) GENERATED ALWAYS AS (`a` <> 0 and `b` <> 0 or `c` = 0) VIRTUAL,
  `x` varbinary(3) GENERATED ALWAYS AS (cast(`d` as char charset binary)) VIRTUAL,
  `y` int(11) GENERATED ALWAYS AS (cast(`d` as signed)) VIRTUAL,
  `z` int(11) GENERATED ALWAYS AS (locate('a',`d`)) VIRTUAL,
  `zz` int(11) DEFAULT -5,
  CONSTRAINT `CONSTRAINT_1` CHECK (`a` <> `b`),
  CONSTRAINT `CONSTRAINT_2` CHECK (`d` in ('x','y'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
;;
CREATE TABLE `we``ird name` (
  `a``b` int(11) NOT NULL,
  `sel ect` int(11) DEFAULT NULL,
  PRIMARY KEY (`a``b`),
  KEY `k``x` (`sel ect`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='-- /* '
;;
CREATE TABLE `ch` (
  `x` int(11) NOT NULL,
  `b` int(11) DEFAULT NULL,
  PRIMARY KEY (`x`),
  KEY `f2` (`b`),
  CONSTRAINT `f2` FOREIGN KEY (`b`) REFERENCES `p`.`par` (`b`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
;;
CREATE TABLE `aria` (
  `id` int(11) DEFAULT NULL
) ENGINE=Aria DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci PAGE_CHECKSUM=1 TRANSACTIONAL=1
;;
CREATE TABLE `pcomp` (
  `id` int(11) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci `page_compressed`='1' `page_compression_level`='5'
;;
CREATE TABLE `sv` (
  `a` int(11) DEFAULT NULL,
  `b` int(11) DEFAULT NULL WITHOUT SYSTEM VERSIONING
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci WITH SYSTEM VERSIONING
;;
CREATE TABLE `sv2` (
  `a` int(11) DEFAULT NULL,
  `rs` timestamp(6) GENERATED ALWAYS AS ROW START,
  `re` timestamp(6) GENERATED ALWAYS AS ROW END,
  PERIOD FOR SYSTEM_TIME (`rs`, `re`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci WITH SYSTEM VERSIONING
 PARTITION BY SYSTEM_TIME 
(PARTITION `h` HISTORY ENGINE = InnoDB,
 PARTITION `c` CURRENT ENGINE = InnoDB)
;;
CREATE TABLE `ap` (
  `a` int(11) DEFAULT NULL,
  `s` date NOT NULL,
  `e` date NOT NULL,
  PERIOD FOR `app` (`s`, `e`),
  UNIQUE KEY `a` (`a`,`app` WITHOUT OVERLAPS)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
