"""Paths of a study's files as they may be told: people call folders and files by the patient."""

import os
import re
import warnings
from typing import Callable, Iterable, Set

import pydicom

from data_prep.slices import LIBRARY_ERRORS

_NAMES = ('PatientName', 'OtherPatientNames')
_IDENTIFIERS = ('PatientID', 'OtherPatientIDs', 'PatientBirthDate', 'AccessionNumber', 'StudyID', 'InstitutionName')
_SHORTEST = 3  # Letters; shorter ones stand in many a path by chance.
_HIDDEN = '…'


def hider(folder: str, paths: Iterable[str]) -> Callable[[str], str]:
    """A function that takes out of a text what it repeats of who the patients are.

    Args:
        folder: that of the studies.
        paths: under it, of one file of each of them: who the patient is stands in every file of a study.
    """
    words = sorted({word for path in paths for word in _identifying(os.path.join(folder, path))}, key=len, reverse=True)
    # A number is not looked for within a longer one.
    patterns = [rf'(?<!\d){word}(?!\d)' if word.isdigit() else re.escape(word) for word in words]
    pattern = re.compile('|'.join(patterns), re.IGNORECASE)
    return lambda text: pattern.sub(_HIDDEN, text) if words else text


def _identifying(path: str) -> Set[str]:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # pydicom quotes values that break the standard's rules.
        header = pydicom.dcmread(path, specific_tags=['SpecificCharacterSet', *_NAMES, *_IDENTIFIERS])
        names = {word for tag in _NAMES for word in re.split(r'[\W_]+', _text(header, tag))}
        identifiers = {_text(header, tag) for tag in _IDENTIFIERS}
    return {word for word in names | identifiers if len(word) >= _SHORTEST and set(word) != {'0'}}


def _text(header: pydicom.Dataset, tag: str) -> str:
    try:
        return str(header.get(tag) or '').strip()
    except LIBRARY_ERRORS:
        return ''
