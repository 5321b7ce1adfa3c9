"""Learning: objectives, schedules and the trainer; written for every Keras backend."""
