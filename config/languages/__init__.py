"""The product's texts in other languages: gathered from code and templates, kept as .po, compiled to .mo."""
