"""Judges a student's network in a process of its own: the text can end Python, or stay in C code for ever."""

import multiprocessing
import os
import re
import sys
import tempfile
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

from lvseg import networks
from lvseg.project import shown

from classroom import judging
from classroom.judging import Report, Solution

# A copy of this process, with TensorFlow imported, which else takes seconds.
_FORK = multiprocessing.get_context('fork')


def check(path: Path, solution: Solution) -> Report:
    """As judging.check, and it comes to an end whatever the student's text does."""
    networks.source(path)
    receiver, sender = _FORK.Pipe(duplex=False)
    with tempfile.TemporaryFile() as said:
        process = _FORK.Process(target=_judge, args=(sender, said.fileno(), path, solution), daemon=True)
        process.start()
        sender.close()
        try:
            report = receiver.recv()
        except EOFError:
            report = None
        process.join()
        said.seek(0)
        if report is None:
            return judging.unreadable(end(path, said.read().decode(errors='replace')), solution)
    if isinstance(report, str):
        sys.exit(report)
    return report


def _judge(sender: Connection, said: int, path: Path, solution: Solution) -> None:
    """Sends the report, or the traceback of a bug of ours; what is written past Python's own output goes to `said`."""
    for output in (1, 2):
        os.dup2(said, output)
    try:
        sender.send(judging.check(path, solution))
    except Exception:
        sender.send(traceback.format_exc())


def end(path: Path, said: str) -> networks.NetworkError:
    """Why there is no report; where a loop was, faulthandler has said (lvseg.networks)."""
    if 'Timeout (' not in said:
        text = f'{shown(path)} ends Python itself, before the network is built: by os._exit, or by a crash.'
        return networks.NetworkError('python.exit', text)
    place = re.search(rf'File "{re.escape(str(path))}", line (\d+)', said)
    return networks.endless(path, int(place.group(1)) if place else None)
