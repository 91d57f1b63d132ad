// Package mapping says which column of a file feeds which field of an entity,
// and carries it out row by row.
//
// A template is saved; Bind holds it against a file's columns and says what
// does not fit; a Mapper then turns rows into values. Propose finds a mapping
// where there is none, from the headers, the values and what was mapped before.
// A column is never mapped in silence: what is not bound is listed.
package mapping
