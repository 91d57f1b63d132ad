// Package formula keeps the cells of delimited text from running as formulas
// when a spreadsheet program opens the file, and takes the guard off again when
// the file is read.
//
// A program takes a cell that begins with = + - @, a tab or a carriage return
// for a formula; an apostrophe before it makes it text. For every text s,
// Unguard(Guard(s)) is s. Workbooks need none of this: their cells say
// themselves whether they are formulas.
package formula

// Guard puts one apostrophe before a text that could run as a formula, and one
// more before a text that already looks guarded. Whole numbers with a sign and
// phone numbers stay as they are.
func Guard(s string) string {
	if IsGuarded(s) || starts(s) && !isWhole(s) && !isPhone(s) {
		return "'" + s
	}
	return s
}

// Unguard takes one apostrophe away from a guarded text.
func Unguard(s string) string {
	if IsGuarded(s) {
		return s[1:]
	}
	return s
}

// IsGuarded tells whether s is one or more apostrophes and what starts a
// formula.
func IsGuarded(s string) bool {
	i := 0
	for i < len(s) && s[i] == '\'' {
		i++
	}
	return i > 0 && starts(s[i:])
}

// starts tells whether a program would read s as a formula.
func starts(s string) bool {
	if s == "" {
		return false
	}
	switch s[0] {
	case '=', '+', '-', '@', '\t', '\r':
		return true
	}
	return false
}

// isWhole tells whether s is a sign and digits.
func isWhole(s string) bool {
	if len(s) < 2 || s[0] != '+' && s[0] != '-' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// isPhone tells whether s is an international number as people write it: a
// plus, 7 to 15 digits (E.164 allows 15; fewer than 7 would let sums through),
// and between them blanks, hyphens, points, slashes and round brackets.
func isPhone(s string) bool {
	if s == "" || s[0] != '+' {
		return false
	}
	digits := 0
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == ' ', c == '-', c == '.', c == '/', c == '(', c == ')':
		default:
			return false
		}
	}
	return digits >= 7 && digits <= 15
}
