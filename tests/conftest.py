"""Figures that tests measured, printed at the end; the logs of the daemons of a failed test."""
import pytest

_figures = []


@pytest.fixture
def figure(request):
    """figure("text with a number and its unit"): measured, never judged."""
    return lambda text: _figures.append(f"{request.node.name}: {text}")


def pytest_terminal_summary(terminalreporter):
    if _figures:
        terminalreporter.section("measured")
        for line in _figures:
            terminalreporter.write_line(line)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    site = item.funcargs.get("site") if hasattr(item, "funcargs") else None
    if report.when == "call" and report.failed and site:
        for daemon in site.daemons:
            report.sections.append((daemon.name, daemon.tail(60)))
