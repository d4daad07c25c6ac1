"""Raw studies -> TFRecords: knows DICOM, contours and masks, and nothing of networks. See `python -m data_prep -h`."""
