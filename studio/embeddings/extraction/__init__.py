"""From a table of questions and a folder of pictures to vectors and answers."""
