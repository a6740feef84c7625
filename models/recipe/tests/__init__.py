"""python -m unittest discover -t . -s recipe/tests   (in the folder models)"""
