"""The tests of what reads tables, in C++, against a real server."""

from cpp_tests import run_against_mysql


def test_tables_are_read_as_the_server_orders_them(tmp_path):
    run_against_mysql("OUTBOXD_TABLE_SOURCE_TEST", tmp_path)
