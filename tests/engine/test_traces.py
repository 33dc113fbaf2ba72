"""Which statements leave no trace in the session."""

from __future__ import annotations

import pytest

from mizzle.engine.traces import is_traceless

TRACELESS = """
SELECT 1
select id, name from users where id = 5
SELECT\tid FROM users
SELECT COUNT(*), MAX( id ) FROM users WHERE id IN (1, 2) AND (name = 'a' OR name IS NULL)
SELECT `id` FROM `into` WHERE email = 'somebody@example.com' AND note = 'SET @a := 1; -- # /* get_lock('
SELECT "a ""quoted"" word", 'it''s', `a``b`
SELECT u.id FROM users AS u JOIN pets p ON (p.owner = u.id) ORDER BY u.id LIMIT 10
SELECT -1, 7 - -1, 4 / 2, 2 * 3
SELECT x FROM t WHERE (x) = (SELECT MIN(x) FROM t)
SELECT nexts, intos, next_id FROM t FOR UPDATE
SELECT 'Ĝis la', ŝlosilo FROM tabelo
SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) FROM t
BEGIN
COMMIT
ROLLBACK
START TRANSACTION
"""

DOUBTFUL = """

SELEC
SELECTED
INSERT INTO t VALUES (1)
SET @a = 1
SET NAMES latin1
USE other
CALL procedure_of_mine()
SELECT @a
SELECT @a := 1
SELECT 1 INTO @a
SELECT id FROM t INTO OUTFILE '/tmp/t'
SELECT SQL_CALC_FOUND_ROWS id FROM t LIMIT 1
SELECT id FROM t PROCEDURE ANALYSE()
SELECT GET_LOCK('a', 0)
SELECT get_lock ('a', 0)
SELECT `get_lock`('a', 0)
SELECT "get_lock"('a', 0)
SELECT LAST_INSERT_ID(5)
SELECT NEXT VALUE FOR s
SELECT s.nextval
SELECT mine(1)
SELECT db.count(1)
SELECT db . count (1)
SELECT 1; SET @a = 1
SELECT 1 /*! , @a := 1 */
SELECT /*+ SET_VAR(sort_buffer_size = 16M) */ 1
SELECT GET_LOCK/**/('a', 0)
SELECT 1 -- comment
SELECT 1 # comment
SELECT 'a\\', GET_LOCK('a', 0), '
SELECT 'a\\''
SELECT 'unfinished
BEGIN WORK
COMMIT AND CHAIN
LOCK TABLES t READ
SHOW WARNINGS
WITH a AS (SELECT 1) SELECT * FROM a
"""


@pytest.mark.parametrize("sql", TRACELESS.strip().splitlines())
def test_nothing_to_reset(sql: str) -> None:
    assert is_traceless(sql.encode())


@pytest.mark.parametrize("sql", ["", *DOUBTFUL.strip().splitlines(), "SELECT", "SELECT 1\0"])
def test_in_doubt_there_is_a_trace(sql: str) -> None:
    assert not is_traceless(sql.encode())
