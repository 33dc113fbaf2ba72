"""What SQLAlchemy's compliance suite may expect of MySQL and MariaDB: each of its defaults that is otherwise here.

Nothing in it speaks of a driver. A test that is left out is left out because of the server, and with every driver.
They are SQLAlchemy's own, which only its source tree has: sdist_test_requirements.py compares them there.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.testing import exclusions
from sqlalchemy.testing.requirements import SuiteRequirements

BOTH_HAVE = """
    aggregate_order_by autocommit boolean_col_expressions check_constraint_reflection comment_reflection
    computed_columns computed_columns_reflect_persisted computed_columns_stored computed_columns_virtual
    create_or_replace_view create_table_as create_temp_table_as cross_schema_fk_reflection ctes date_historic
    datetime_historic datetime_literals dbapi_lastrowid emulated_lastrowid emulated_lastrowid_even_with_sequences
    except_ expression_server_defaults fetch_offset_with_options fk_constraint_option_reflection_ondelete_noaction
    foreign_key_constraint_name_reflection foreign_key_constraint_option_reflection_ondelete
    foreign_key_constraint_option_reflection_onupdate foreign_keys_reflect_as_index has_temp_table
    indexes_check_column_order intersect isolation_level json_array_indexes json_type
    legacy_unconditional_json_extract mod_operator_as_percent_sign nvarchar_types order_by_collation
    order_by_label_with_expression percent_schema_names precision_numerics_enotation_small
    precision_numerics_many_significant_digits precision_numerics_retains_significant_digits reflect_table_options
    regexp_match regexp_replace savepoints schema_create_delete server_defaults skip_autocommit_rollback
    supports_bitwise_and supports_bitwise_or supports_bitwise_shift supports_bitwise_xor table_ddl_if_exists
    temp_table_comment_reflection tuple_in tuple_in_w_empty two_phase_transactions unicode_ddl
    unique_constraints_reflect_as_index unique_index_reflect_as_unique_constraints update_from view_column_reflection
    view_reflection views window_functions window_range window_range_numeric
"""
MARIADB_HAS = """
    cast_precision_numerics_many_significant_digits ctes_with_values fetch_first fetch_no_order_by fetch_ties
    index_ddl_if_exists update_where_target_in_subquery uuid_data_type
"""
MYSQL_HAS = """
    fetch_expression fk_constraint_option_reflection_ondelete_restrict
    fk_constraint_option_reflection_onupdate_restrict json_index_supplementary_unicode_element
"""
NEITHER_HAS = """
    sql_expression_limit_offset precision_generic_float_type unbounded_varchar
    date_implicit_bound datetime_implicit_bound time_implicit_bound
    datetime_microseconds time_microseconds
"""
# NEITHER_HAS, line by line: the grammar and the types of both servers; a date in a statement is a string to them
# ("SELECT '2012-10-15'" is one, too); DATETIME and TIME without a precision, as the suite makes them, keep seconds.


def _on_mariadb(current: Any) -> bool:
    return bool(current.db.dialect.is_mariadb)


def _property(having: bool | None) -> property:
    """A requirement: met (True), not met (False), or met by MariaDB alone (None)."""
    if having is not None:
        rule = exclusions.open() if having else exclusions.closed()
    else:
        rule = exclusions.only_if(_on_mariadb)
    return property(lambda _: rule)


class Requirements(SuiteRequirements):
    """For `requirement_cls` in setup.cfg."""


for _names, _having in ((BOTH_HAVE, True), (MARIADB_HAS, None), (NEITHER_HAS, False)):
    for _name in _names.split():
        setattr(Requirements, _name, _property(_having))
for _name in MYSQL_HAS.split():
    setattr(Requirements, _name, property(lambda _: exclusions.skip_if(_on_mariadb)))
