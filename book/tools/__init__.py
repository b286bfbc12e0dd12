"""The tools of the book: read chapters, export, run and check them, show the built pages, measure.

Each is run from the root of the checkout, such as `python -m book.tools.export`.
"""
