"""make doctor STUDENTS=…: arithmetic on what one student takes."""

import pytest

from setup import class_size, doctor


@pytest.fixture(autouse=True)
def round_figures(monkeypatch):
    """One student: 3 GB for simple, 2 GB for cnn, 1 GB of disk; one core for 60 s, and for 10 epochs of 12 s."""
    monkeypatch.setattr(class_size, 'TRAINING', {'simple': 2e9, 'cnn': 1e9})
    for name, value in (('TENSORBOARD', 1e9), ('DISK', 1e9), ('SIMPLE_SECONDS', 60), ('CNN_EPOCH_SECONDS', 12)):
        monkeypatch.setattr(class_size, name, value)
    monkeypatch.setattr(class_size, 'CNN_EPOCHS', 10)


def told(students, memory=90e9, disk=30e9, cores=2):
    return class_size.findings(students, memory, disk, cores)


def test_a_machine_that_is_just_enough_is_ok():
    assert all(finding.ok for finding in told(30))  # 30 x 3 GB, 30 x 1 GB


def test_too_little_memory_is_told_with_the_number_of_groups():
    simple, cnn, _, _ = told(30, memory=60e9)
    assert not simple.ok and simple.text.endswith('and 60.0 GB are free. Let them train in 2 groups.')  # 20 and 10
    assert cnn.ok  # 30 x 2 GB


def test_memory_for_not_even_one():
    assert told(1, memory=2.9e9)[0].text.endswith('Not even one can.')


def test_too_little_disk_is_told_with_what_makes_room():
    finding = told(30, disk=29e9)[2]
    assert not finding.ok and 'make clean OLD=1' in finding.text


@pytest.mark.parametrize(
    ('students', 'cores', 'minutes', 'threads'),
    [
        (30, 2, 'wait 15 minutes for simple and 30 for', 1),  # 15 trainings of 1 and 2 minutes after one another
        (2, 8, 'wait 1 minutes for simple and 2 for', 4),
    ],
)
def test_minutes_and_threads(students, cores, minutes, threads):
    finding = told(students, cores=cores)[-1]
    assert minutes in finding.text and finding.text.endswith(f'export LAB_THREADS={threads}')


def test_without_a_number_of_students_nothing_is_said_of_them():
    assert doctor.of_class(None) == []
