"""Training material: cutting collages into face crops, the teachers' labels, the 98-point scheme, augmentation."""
