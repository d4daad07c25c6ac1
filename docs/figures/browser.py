"""TensorBoard, or a page of the lab's own, in a headless Chromium: for tests and for the guide's screenshots.

Chromium is driven through the W3C WebDriver protocol (https://www.w3.org/TR/webdriver/), which is JSON over HTTP, by
Debian's chromium-driver: no library between is needed for the few commands used here.
"""

import base64
import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Any, Iterator, List

PROGRAMS = ('chromium', 'chromedriver')

_SECONDS_TO_START = 180
_SECONDS_TO_APPEAR = 90  # TensorBoard looks at its logs every few seconds, and slow machines draw slowly.

_ARGUMENTS = (
    '--headless',
    '--no-sandbox',  # It does not start without when run by root, as in a container.
    '--disable-gpu',
    '--disable-quic',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    '--force-device-scale-factor=1',
)

# In scripts, `found(selector)` are all elements that a CSS selector matches, within web components too; of one element
# with `found(selector, element)`. `text(element)` is what stands there.
_FUNCTIONS = """
const found = (selector, element = document) => [element, element.shadowRoot].filter(Boolean).flatMap(root => [
    ...root.querySelectorAll(selector),
    ...[...root.querySelectorAll('*')].filter(e => e.shadowRoot).flatMap(e => found(selector, e.shadowRoot))
]);
const text = element => element.textContent.trim();
"""
_ONCE_TRUE = """
const done = arguments[arguments.length - 1];
const condition = () => { %s };
const look = () => { const value = condition(); if (value) done(value); else setTimeout(look, 100); };
look();
"""


# What is true when a tab of TensorBoard has drawn its data.
DRAWN = {
    'scalars': """
        const charts = found('tf-scalar-card').filter(card => card.tag === 'dice');
        return charts.length && found('path.line', charts[0]).length;
    """,
    'images': """
        const images = found('tf-image-loader').map(loader => found('img', loader)[0]);
        return images.length && images.every(image => image && image.naturalWidth);
    """,
    # The small map in the corner is white until it is drawn, or hidden where all fits into the window.
    'graphs': """
        const drawn = map => map.classList.contains('hidden') || found('canvas', map).some(part => part.width !== 300);
        return found('g.node').length > 5 && found('tf-graph-minimap').every(drawn);
    """,
    'histograms': "return found('vz-histogram-timeseries').some(chart => found('path', chart).length);",
    'pr_curves': "return found('tf-pr-curve-card').some(card => found('path.line', card).length);",
    'hparams': "return found('vaadin-grid-cell-content').some(cell => Number(text(cell)));",
}


def missing_programs() -> List[str]:
    """Which of the programs needed are not installed; Debian has them in the packages chromium and chromium-driver."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


@contextlib.contextmanager
def tensorboard(logdir: Path) -> Iterator[str]:
    """Serves a folder of logs on a free port of this machine only; yields the address."""
    command = [sys.executable, '-m', 'tensorboard.main', '--logdir', str(logdir), '--host', '127.0.0.1', '--port', '0']
    with _server(command, r'(http://127\.0\.0\.1:\d+)/') as address:
        yield address


class Browser:
    """A page in Chromium."""

    def __init__(self, session: str) -> None:
        self._session = session

    def open_tab(self, address: str, tab: str) -> None:
        """Loads TensorBoard with one of its tabs in front, and waits until that has drawn its data."""
        # Were only the part after # another one, the page would not be loaded again.
        self.open(f'{address}/?tab={tab}#{tab}')
        self.wait(DRAWN[tab])

    def open(self, address: str) -> None:
        """Loads a page."""
        _send('POST', f'{self._session}/url', {'url': address})

    def complaints(self) -> List[str]:
        """What the console has had of warnings and errors since this was last asked."""
        return [entry['message'] for entry in _send('POST', f'{self._session}/se/log', {'type': 'browser'})]

    def wait(self, script: str) -> Any:  # noqa: ANN401 - whatever JSON the script returns
        """Runs JavaScript again and again until it returns something true, and returns that.

        Raises:
            TimeoutError: it did not within the time.
        """
        body = {'script': _FUNCTIONS + _ONCE_TRUE % script, 'args': []}
        try:
            return _send('POST', f'{self._session}/execute/async', body)
        except urllib.error.HTTPError as error:
            answer = json.loads(error.read().decode())['value']
            if answer['error'] != 'script timeout':
                raise RuntimeError(f'{answer["message"]}\nin: {script}') from None
            text = self.run("return found('span, h3, div').filter(e => !e.children.length).map(text).join(' ')")
            raise TimeoutError(f'not so within {_SECONDS_TO_APPEAR} s: {script}\nThe page says: {text}') from None

    def run(self, script: str) -> Any:  # noqa: ANN401 - whatever JSON the script returns
        """Runs JavaScript once."""
        return _send('POST', f'{self._session}/execute/sync', {'script': _FUNCTIONS + script, 'args': []})

    def screenshot(self) -> bytes:
        """What is seen of the page, as PNG."""
        return base64.b64decode(_send('GET', f'{self._session}/screenshot'))


@contextlib.contextmanager
def chromium(width: int, height: int, *more: str) -> Iterator[Browser]:
    """Starts a browser with a window of so many pixels, which knows nothing of earlier ones; `more`: its arguments."""
    driver = _server(['chromedriver', '--port=0'], r'started successfully on port (\d+)')
    with tempfile.TemporaryDirectory() as profile, driver as port:
        arguments = [*_ARGUMENTS, *more, f'--window-size={width},{height}', f'--user-data-dir={profile}']
        options = {'binary': shutil.which('chromium'), 'args': arguments}
        capabilities = {
            'goog:chromeOptions': options,
            'timeouts': {'script': _SECONDS_TO_APPEAR * 1000},
        }
        address = f'http://127.0.0.1:{port}/session'
        session = _send('POST', address, {'capabilities': {'alwaysMatch': capabilities}})['sessionId']
        try:
            yield Browser(f'{address}/{session}')
        finally:
            _send('DELETE', f'{address}/{session}')


@contextlib.contextmanager
def _server(command: List[str], announcement: str) -> Iterator[str]:
    """Runs a server; yields the part in brackets of the announcement that it prints when it is ready."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    watchdog = threading.Timer(_SECONDS_TO_START, process.kill)
    watchdog.start()
    try:
        part = _announced(process.stdout, announcement)
        watchdog.cancel()
        yield part
    finally:
        watchdog.cancel()
        process.terminate()
        process.wait()


def _announced(output: IO, announcement: str) -> str:
    lines = []
    for line in output:
        lines.append(line)
        match = re.search(announcement, line)
        if match:
            # What it goes on to print has to go somewhere, or it would stand still when the pipe is full.
            threading.Thread(target=output.read, daemon=True).start()
            return match.group(1)
    raise RuntimeError(f'no {announcement!r} within {_SECONDS_TO_START} s; this was said: {"".join(lines)}')


def _send(method: str, address: str, body: Any = None) -> Any:  # noqa: ANN401 - JSON
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {'Content-Type': 'application/json'}, method=method)
    with urllib.request.urlopen(request, timeout=_SECONDS_TO_START + _SECONDS_TO_APPEAR) as answer:
        return json.loads(answer.read().decode())['value']
