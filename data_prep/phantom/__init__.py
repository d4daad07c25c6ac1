"""Short-axis cine studies of invented patients, so that the lab runs before anyone has registered for the real data.

The files are laid out as the Cardiac Atlas Project lays out the Sunnybrook Cardiac Data, and go the same way through
the lab: real DICOM files, contour files of half-pixel floats, a table of patients. Nobody is in them: patients are
called PHANTOM001 and so on, cases are numbered from 901 (SC-N-904), where the real ones end at SC-N-40.

How an image is made, in the order of a scanner, and where:
1. Anatomy, in millimetres of the slice plane (`heart`, `body`; a `patient` has both): outlines are filled on a canvas
   finer than the pixels (`painting`), the heart on three planes across the slice's thickness, so that edges blur where
   the wall is oblique to the slice.
2. Signal of balanced SSFP, relative to blood (`tissue`): bright blood, dark muscle. Fat has the opposite phase to water
   at the usual echo time, half the repetition time, so its signal is negative here: a pixel of both is black, and
   organs get the black outline that real slices show (Hargreaves, JMRI 2012;36:1300).
3. The receive coils' sensitivity (`scanner`): they lie on the chest, so fat there is several times brighter than the
   heart.
4. k-space (`scanner`): fewer samples than pixels, and noise. The magnitude of complex Gaussian noise is Rician
   (Gudbjartsson and Patz, MRM 1995;34:910).
5. Files (`studies`; `headers` those of DICOM).

What can be otherwise elsewhere, another scanner or other hearts, stands in a table (`shifts`): --shift NAME.
"""
