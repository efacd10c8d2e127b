import shlex
import socket
from configparser import RawConfigParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from common.errors import ConfigurationError
from deploy.local.__main__ import key
from deploy.local.checkout import Checkout
from deploy.local.configuration import render
from deploy.local.environment import StackEnvironment, read_stack_env
from deploy.local.errors import StackError
from deploy.local.ports import free_ports, is_taken
from deploy.local.programs import Program, servers, services
from deploy.local.stack import check_ports, last_line
from deploy.local.status import addresses, duration, table
from deploy.local.supervision import Process, Supervisor
from deploy.local.waiting import wait_until

CHECKOUT = Checkout(Path("/somewhere/100% gray mill"))


def parse(configuration: str) -> RawConfigParser:
    """Read it as supervisord does."""
    parser = RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    parser.read_string(configuration)
    return parser


def names(environ: dict[str, str]) -> list[str]:
    return [program.name for program in services(StackEnvironment.compose({}, {}), CHECKOUT, environ)]


def secrets_of(made: StackEnvironment) -> set[str]:
    passwords = {str(urlsplit(made.written[url]).password) for url in ("AMQP_URL", "MONGO_URL")}
    return {*passwords, *made.settings().api_keys, made.settings().webhook_secret}


def test_first_environment_has_four_random_secrets_and_all_the_defaults() -> None:
    first, other = StackEnvironment.compose({}, {}), StackEnvironment.compose({}, {})
    assert len(secrets_of(first) | secrets_of(other)) == 8
    assert min(map(len, secrets_of(first))) == 32
    assert first.port("AMQP_PORT") == 5673
    assert urlsplit(first.written["MONGO_URL"]).path == "/graymill"
    assert first.written["FETCH_ALLOW_NETS"] == "127.0.0.2/32"
    assert first.settings().api_port == 5000


def test_written_environment_is_private_and_read_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "stack.env"
    made = StackEnvironment.compose({"FETCH_CONTACT": "o'neill \\ #1 ${HOME}"}, {})
    made.write(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_stack_env(path) == made.written


def test_key_is_shown_alone_and_the_new_one_while_it_is_replaced(tmp_path_factory: pytest.TempPathFactory) -> None:
    checkout = Checkout(tmp_path_factory.mktemp("key"))  # a test's own folder may have too long a path
    assert isinstance(CliRunner().invoke(key, obj=checkout).exception, StackError)
    checkout.make_folders()
    made = StackEnvironment.compose({}, {})
    made.write(checkout.stack_env)
    assert CliRunner().invoke(key, obj=checkout).output == f"{made.written['API_KEYS']}\n"
    replaced = {**made.written, "API_KEYS": f"{'n' * 32},{made.written['API_KEYS']}"}
    StackEnvironment.compose(replaced, {}).write(checkout.stack_env)
    assert CliRunner().invoke(key, obj=checkout).output == f"{'n' * 32}\n"


def test_passwords_ports_and_edits_of_an_earlier_up_are_kept() -> None:
    earlier = StackEnvironment.compose({}, {"AMQP_PORT": "6673", "SAMPLES_PORT": "9081"}).written
    later = StackEnvironment.compose({**earlier, "FETCH_ALLOW_NETS": "", "MAX_PIXELS": "5"}, {})
    assert later.written == {**earlier, "FETCH_ALLOW_NETS": "", "MAX_PIXELS": "5"}


@pytest.mark.parametrize("name", ["WEBHOOK_SECRET", "API_KEYS"])
def test_environment_of_before_there_was_a_secret_gets_one_and_keeps_the_others(name: str) -> None:
    made = StackEnvironment.compose({}, {}).written
    earlier = {other: value for other, value in made.items() if other != name}
    later = StackEnvironment.compose(earlier, {})
    assert len(later.written[name]) == 32
    assert {**later.written, name: made[name]} == made
    assert StackEnvironment.compose(later.written, {}).written == later.written


def test_port_of_the_environment_wins_and_moves_the_address_with_it() -> None:
    earlier = StackEnvironment.compose({}, {}).written
    later = StackEnvironment.compose(earlier, {"AMQP_PORT": "6673"})
    assert urlsplit(later.written["AMQP_URL"]).port == 6673
    assert urlsplit(later.written["AMQP_URL"]).password == urlsplit(earlier["AMQP_URL"]).password


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1", "5673 "])
def test_impossible_port_is_refused_by_name(port: str) -> None:
    with pytest.raises(StackError, match="MONGO_PORT"):
        StackEnvironment.compose({}, {"MONGO_PORT": port})


def test_one_port_for_two_servers_is_refused() -> None:
    with pytest.raises(StackError, match="differ"):
        StackEnvironment.compose({}, {"MONGO_PORT": "5673"})


def test_only_settings_are_passed_on_even_when_empty() -> None:
    environ = {"FETCH_ALLOW_NETS": "", "LOG_LEVEL": "DEBUG", "HOME": "/root", "FETCHERS": "3"}
    assert StackEnvironment.compose({}, environ).overrides == {"FETCH_ALLOW_NETS": "", "LOG_LEVEL": "DEBUG"}


def test_bad_setting_is_found_before_anything_starts() -> None:
    with pytest.raises(ConfigurationError, match="MAX_PIXELS"):
        StackEnvironment.compose({}, {"MAX_PIXELS": "many"}).settings()


def test_workers_are_as_many_as_asked_for() -> None:
    assert names({}) == [
        "samples",
        "fetcher_1",
        "scraper_1",
        "hasher_1",
        "grayscaler_1",
        "grayscaler_2",
        "aggregator_1",
        "api",
    ]
    assert names({"FETCHERS": "0", "SCRAPERS": "0", "HASHERS": "2", "GRAYSCALERS": "1", "AGGREGATORS": ""}) == [
        "samples",
        "hasher_1",
        "hasher_2",
        "grayscaler_1",
        "aggregator_1",
        "api",
    ]


@pytest.mark.parametrize("count", ["-1", "65", "two", "1e9", "²"])
def test_impossible_count_is_refused_by_name(count: str) -> None:
    with pytest.raises(StackError, match="HASHERS"):
        names({"HASHERS": count})


def test_supervisor_reads_back_each_command_whatever_the_path() -> None:
    environment = StackEnvironment.compose({}, {"FETCH_CONTACT": "100% https://example.org/?a=1,b;c"})
    programs = [*servers(environment, CHECKOUT), *services(environment, CHECKOUT, {})]
    parsed = parse(render(CHECKOUT, programs))
    for program in programs:
        section = parsed[f"program:{program.name}"]
        assert tuple(shlex.split(section["command"].replace("%%", "%")))[-len(program.command) :] == program.command
    assert 'FETCH_CONTACT="100%% https://example.org/?a=1,b;c"' in parsed["program:api"]["environment"]


def test_no_secret_is_in_the_supervisors_file() -> None:
    environment = StackEnvironment.compose({}, {})
    rendered = render(CHECKOUT, [*servers(environment, CHECKOUT), *services(environment, CHECKOUT, {})])
    assert not [secret for secret in secrets_of(environment) if secret in rendered]


def test_another_count_leaves_the_other_programs_sections_as_they_are() -> None:
    environment = StackEnvironment.compose({}, {})
    few = parse(render(CHECKOUT, services(environment, CHECKOUT, {"GRAYSCALERS": "1"})))
    many = parse(render(CHECKOUT, services(environment, CHECKOUT, {"GRAYSCALERS": "4"})))
    assert all(many[section] == few[section] for section in few.sections())
    assert len(many.sections()) == len(few.sections()) + 3


def test_every_worker_has_a_port_of_its_own_for_metrics_if_any_and_keeps_it() -> None:
    def ports(given: dict[str, str], environ: dict[str, str]) -> dict[str, str]:
        made = services(StackEnvironment.compose({}, given), CHECKOUT, environ)
        return {each.name: each.environment["METRICS_PORT"] for each in made if "METRICS_PORT" in each.environment}

    few, many = (ports({"METRICS_PORT": "9464"}, {"FETCHERS": count, "SCRAPERS": "2"}) for count in ("1", "64"))
    workers = {name: port for name, port in many.items() if name != "api"}
    assert len(workers) == len(set(workers.values())) > 64
    assert few.items() <= many.items()
    assert ports({}, {}) == {}


def test_change_of_stack_env_changes_every_service() -> None:
    environment = StackEnvironment.compose({}, {})
    edited = StackEnvironment.compose({**environment.written, "MAX_PIXELS": "5"}, {})
    before = {program.name: program for program in services(environment, CHECKOUT, {})}
    after = {program.name: program for program in services(edited, CHECKOUT, {})}
    assert {name for name in before if before[name] != after[name]} == before.keys() - {"samples"}


@pytest.mark.parametrize("value", ['a "b"', "a\nb", "a # b", "a ;b", "'a'"])
def test_value_that_supervisor_would_misread_is_refused_by_name(value: str) -> None:
    with pytest.raises(StackError, match="FETCH_CONTACT"):
        render(CHECKOUT, [Program("api", ("true",), {"FETCH_CONTACT": value})])


def test_taken_port_is_named_with_its_variable_unless_it_is_ours() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        others = ("AMQP_DIST_PORT", "EPMD_PORT", "MONGO_PORT", "API_PORT", "SAMPLES_PORT")
        free = dict(zip(others, map(str, free_ports(len(others))), strict=True))
        environment = StackEnvironment.compose({}, {"AMQP_PORT": str(port), **free})
        assert is_taken("127.0.0.1", port)
        with pytest.raises(StackError, match=f"port {port} on 127.0.0.1 .*AMQP_PORT="):
            check_ports(environment, environment.settings(), {}, {})
        ours = {"rabbitmq": Process("rabbitmq", "RUNNING", 1, 1)}
        check_ports(environment, environment.settings(), environment.written, ours)


def test_address_of_another_machine_is_refused() -> None:
    with pytest.raises(StackError, match=r"cannot listen on 192\.0\.2\.1 port 5000"):
        is_taken("192.0.2.1", 5000)


def test_nothing_runs_where_nothing_was_started(tmp_path: Path) -> None:
    supervisor = Supervisor(Checkout(tmp_path))
    assert not supervisor.is_running()
    assert supervisor.processes() == {}


def test_path_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="too long"):
        Checkout(tmp_path / ("x" * 90)).make_folders()


def test_waiting_ends_with_what_did_not_answer() -> None:
    with pytest.raises(StackError, match="the moon did not answer within 0"):
        wait_until(lambda: False, 0, "the moon")


def test_status_shows_no_password_and_says_failing_for_what_starts_over_and_over() -> None:
    lines = list(table([Process("api", "RUNNING", 12, 61), Process("hasher_1", "BACKOFF", 0, 0)]))
    assert lines[1].split() == ["api", "running", "12", "1", "min", "1", "s"]
    assert lines[2].split() == ["hasher_1", "failing", "-", "-"]
    written = StackEnvironment.compose({}, {"API_PORT": "5001"}).written
    shown = "\n".join(addresses({**written, "API_HOST": "0.0.0.0"}))
    assert "http://127.0.0.1:5001/monitoring" in shown
    assert str(urlsplit(written["AMQP_URL"]).password) not in shown
    assert written["API_KEYS"] not in shown
    assert "`make key`" in shown


def test_durations_show_their_two_largest_units() -> None:
    assert [duration(seconds) for seconds in (5, 65, 3_700, 90_000)] == ["5 s", "1 min 5 s", "1 h 1 min", "1 d 1 h"]


def test_last_words_skip_empty_lines() -> None:
    assert last_line("one\ntwo \n\n") == "two"
    assert last_line("") == "it said nothing"
