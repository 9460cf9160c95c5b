// Package literal finds many byte strings in one pass.
package literal
