//! Built-in types and operators: one file each with signature, doc, examples as data, code and tests.
