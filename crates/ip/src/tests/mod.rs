//! Tests of the parts that are not public.
