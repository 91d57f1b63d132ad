package charset

import (
	"strings"
	"unicode"
)

// symbol is the log probability of a character that is no letter, and what it
// costs more beside a letter.
type symbol struct{ cost, afterLetter, beforeLetter float64 }

// symbolOf knows the symbols by how often people write them in tables and on
// pages, and on which side of a word: an opening quote stands before one, a
// currency sign beside a number.
func symbolOf(r rune) symbol {
	const never = -4.5
	in := func(group string) bool { return strings.ContainsRune(group, r) }
	switch {
	case r == unicode.ReplacementChar:
		return symbol{costInvalid, 0, 0}
	case r == 0xA0:
		return symbol{-3, 0, 0}
	case r == '’':
		return symbol{-3, 0, 0}
	case in("–—"):
		return symbol{-3.5, -0.5, -0.5}
	case r == '…':
		return symbol{-3.5, 0, -2}
	case in("“„«‘‚"): // “ closes in German and Czech
		return symbol{-4, -2, 0}
	case in("”»"): // and » opens there
		return symbol{-4, 0, -1.5}
	case in("®™"):
		return symbol{-4.5, 0, never}
	case r == '°': // °C
		return symbol{-4.5, -2, -0.5}
	case in("€•§№·"):
		return symbol{-4.5, -2, -2}
	case r == '©':
		return symbol{-4.5, -2, never}
	case in("¿¡"):
		return symbol{-5, never, 0}
	case in("ºª"):
		return symbol{-5, 0, never}
	case in("£´"):
		return symbol{-5, never, never}
	case in("²³"):
		return symbol{-6, 0, never}
	case r == 'µ': // µm
		return symbol{-6, never, -0.5}
	case in("½±×"):
		return symbol{-6, never, never}
	case r == 0xAD:
		return symbol{-6.5, 0, 0}
	case in("‹›†‡‰¥¢¼¾¹÷¬¶"):
		return symbol{-7.5, never, never}
	case r >= 0x80 && r < 0xA0 || unicode.Is(unicode.Co, r):
		return symbol{-14, never, never}
	}
	return symbol{-9.5, never, never}
}
