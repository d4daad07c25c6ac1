"""For make doctor STUDENTS=30: how many students this machine serves at once, and how long they wait for a training.

What one student takes is measured on TensorFlow 1.15 with LAB_THREADS=1; docs/instructor.md tells by which commands.
"""

from typing import List, Optional

from setup.findings import Finding

# Bytes of memory: a training, and the TensorBoard that looks at it.
TRAINING = {'simple': 1.2e9, 'cnn': 0.5e9}
TENSORBOARD = 0.4e9
DISK = 1.6e9  # Bytes: two runs of simple; each keeps two checkpoints of 403 MB.
# Seconds of one core, with the program's start: of the guide's first training, and of an epoch of its second.
SIMPLE_SECONDS = 105
CNN_EPOCH_SECONDS = 21
CNN_EPOCHS = 30


def findings(students: int, memory: Optional[int], disk: int, cores: int) -> List[Finding]:
    """What is to be said of so many students.

    Args:
        students: how many train at the same time.
        memory: bytes that are free; None if there is no telling.
        disk: bytes that are free where their desks lie.
        cores: that their trainings share.
    """
    return [
        *(_memory(students, memory, exercise) for exercise in TRAINING if memory is not None),
        _disk(students, disk),
        _time(students, cores),
    ]


def _memory(students: int, memory: int, exercise: str) -> Finding:
    each = TRAINING[exercise] + TENSORBOARD
    text = f'{students} students train {exercise}, each with TensorBoard: {students * each / 1e9:.1f} GB of memory'
    if students * each <= memory:
        return Finding(True, text)
    groups = -(-students // int(memory // each)) if memory >= each else None
    advice = f'Let them train in {groups} groups.' if groups else 'Not even one can.'
    return Finding(False, f'{text}, and {memory / 1e9:.1f} GB are free. {advice}')


def _disk(students: int, disk: int) -> Finding:
    text = f'{students} students keep two runs of simple each: {students * DISK / 1e9:.0f} GB of disk'
    if students * DISK <= disk:
        return Finding(True, text)
    return Finding(False, f'{text}, and {disk / 1e9:.0f} GB are free. Each can do: make clean OLD=1')


def _time(students: int, cores: int) -> Finding:
    threads = max(1, cores // students)
    waves = max(1.0, students / cores)  # Each training has one core at the most, on which these are measured.
    simple, cnn = (seconds * waves / 60 for seconds in (SIMPLE_SECONDS, CNN_EPOCHS * CNN_EPOCH_SECONDS))
    text = (
        f'{students} at a time on {cores} cores wait {simple:.0f} minutes for simple and {cnn:.0f} for {CNN_EPOCHS} '
        f'epochs of cnn. Each does: export LAB_THREADS={threads}'
    )
    return Finding(True, text)
