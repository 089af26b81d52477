//! Bytes to structures, one file per encoding; knows no package and no rule.
