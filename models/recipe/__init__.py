"""Trains the demonstration pair from nothing: a base that knows things and aligned models that know how to answer."""
