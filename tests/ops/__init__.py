"""Tests of the ops port."""
