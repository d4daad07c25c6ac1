"""From the DICOM files of a patient's study to the volumes of the left ventricle and the ejection fraction."""
