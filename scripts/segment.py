"""Finds the left ventricle in DICOM studies, with its volumes and the ejection fraction: -h lists the flags."""

from lvseg import errors

from study import command

if __name__ == '__main__':
    errors.exit_with_message(command.main)
