//! What a TCP header says, field by field, in sentences.
