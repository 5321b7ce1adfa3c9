"""Files of questions and answers: the only place under demos that reads or writes."""
