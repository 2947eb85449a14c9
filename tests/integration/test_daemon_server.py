"""The tests of the daemon's units that ask a server, in C++, against a real one."""

from cpp_tests import run_against_mysql


def test_units_of_the_daemon_do_with_a_server_what_their_tests_claim(tmp_path):
    run_against_mysql("OUTBOXD_DAEMON_SERVER_TEST", tmp_path)
