"""OpenVINO reads whole texts where it is installed; others do what it does not."""
