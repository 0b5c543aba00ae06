-- Views, routines, triggers and events beside the tables they work on: what selecting a whole database carries along.
-- Database: {db}_objects.
SET NAMES utf8mb4;
CREATE DATABASE `{db}_objects` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
USE `{db}_objects`;
CREATE TABLE account (id INT NOT NULL PRIMARY KEY, owner VARCHAR(40), balance DECIMAL(12,2) NOT NULL DEFAULT 0) ENGINE=InnoDB;
INSERT INTO account VALUES (1, 'ann', 10.50), (2, 'it''s bob', -3), (3, NULL, 0);
CREATE TABLE audit (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, account INT, what VARCHAR(60)) ENGINE=InnoDB;
CREATE VIEW v_positive AS SELECT id, owner, balance FROM account WHERE balance > 0 WITH CHECK OPTION;
CREATE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW `v odd` AS SELECT p.id AS `the id`, 'it''s;' AS txt FROM v_positive AS p;
CREATE VIEW a_view_of_a_view AS SELECT * FROM `v odd`;
DELIMITER //
CREATE TRIGGER account_insert AFTER INSERT ON account FOR EACH ROW
BEGIN
  INSERT INTO audit (account, what) VALUES (NEW.id, 'insert; it''s');
END//
CREATE TRIGGER account_update BEFORE UPDATE ON account FOR EACH ROW SET NEW.owner = TRIM(NEW.owner)//
CREATE TRIGGER account_update_too BEFORE UPDATE ON account FOR EACH ROW FOLLOWS account_update SET NEW.balance = ROUND(NEW.balance, 2)//
CREATE FUNCTION twice(a INT) RETURNS INT DETERMINISTIC NO SQL COMMENT 'it''s twice'
  RETURN a * 2//
CREATE PROCEDURE move_money(IN from_id INT, IN to_id INT, IN amount DECIMAL(12,2), OUT left_over DECIMAL(12,2))
  SQL SECURITY INVOKER
BEGIN
  UPDATE account SET balance = balance - amount WHERE id = from_id;
  UPDATE account SET balance = balance + amount WHERE id = to_id;
  SELECT balance INTO left_over FROM account WHERE id = from_id;
END//
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE COMMENT 'it''s an event' DO
BEGIN
  DELETE FROM audit WHERE id < 0;
END//
DELIMITER ;
INSERT INTO account VALUES (4, 'after the trigger', 1);
