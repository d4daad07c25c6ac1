import numpy as np
import pytest

from data_prep.phantom.patient import invent_patient
from data_prep.phantom.scanner import acquire


def test_without_signal_there_is_the_noise_of_magnitude_images():
    """Rician noise is Rayleigh's where there is no signal (Gudbjartsson and Patz 1995)."""
    patient = invent_patient(1234, 1)
    scan = patient.scan._replace(
        outside=np.zeros([256, 256], bool), ghost=0, noise=0.05, samples=(150, 200), gain=10_000
    )
    pixels = acquire(scan, patient.tissue, np.zeros([256, 256]), np.random.RandomState(0)) / 10_000
    # Of a Rayleigh distribution: mean / standard deviation = sqrt(pi / (4 - pi)) = 1.913.
    assert pixels.mean() / pixels.std() == pytest.approx(1.913, abs=0.03)
    # Real and imaginary part have a variance of 0.05^2 each, and as much less as there are fewer samples than pixels:
    # a Fermi window's square, its edges 12 wide, adds up to 2 * 12 less than the window does.
    measured = (150 - 24) / 256 * (200 - 24) / 256
    assert np.mean(np.square(pixels)) == pytest.approx(2 * 0.05**2 * measured, rel=0.03)
