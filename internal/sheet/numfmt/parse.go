package numfmt

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokLiteral tokenKind = iota
	tokPad               // _x
	tokDigit             // 0 # ?, in n
	tokPoint
	tokComma
	tokPercent
	tokExp   // E+ or E-, in text
	tokSlash // of a fraction
	tokFixed // a denominator given as a number, in n
	tokText  // @
	tokGeneral
	tokYear     // n letters
	tokBuddhist // n letters
	tokMonth    // n letters
	tokDay      // n letters; 3 and more name the day of the week
	tokHour     // n letters
	tokMinute   // n letters
	tokSecond   // n letters
	tokSubsec   // n digits after the seconds
	tokElapsed  // n letters; the unit in text: h, m, s
	tokHalf     // AM/PM, the two words in text, parted by a slash
)

type token struct {
	kind tokenKind
	n    int
	text string
}

func (s *section) hasText() bool {
	for i := range s.tokens {
		if s.tokens[i].kind == tokText {
			return true
		}
	}
	return false
}

// parseSections reads the sections; false where one makes no sense.
func parseSections(code string) ([]section, bool) {
	var out []section
	for {
		var s section
		rest, ok := s.scan(code)
		if !ok || !s.settle() {
			return nil, false
		}
		out = append(out, s)
		if rest == "" {
			return out, true
		}
		code = rest[1:] // the semicolon
	}
}

// scan reads tokens up to a semicolon and returns what is left from there.
func (s *section) scan(code string) (rest string, ok bool) {
	for code != "" {
		c := code[0]
		switch {
		case c == ';':
			return code, true
		case c == '"':
			text, after, _ := strings.Cut(code[1:], `"`)
			s.add(token{kind: tokLiteral, text: text})
			code = after
		case c == '\\' || c == '_' || c == '*':
			r, size := "", 0
			if len(code) > 1 {
				_, size = utf8.DecodeRuneInString(code[1:])
				r = code[1 : 1+size]
			}
			switch c {
			case '\\':
				s.add(token{kind: tokLiteral, text: r})
			case '_':
				s.add(token{kind: tokPad})
			}
			code = code[1+size:]
		case c == '[':
			inner, after, found := strings.Cut(code[1:], "]")
			if !found {
				return "", false
			}
			s.bracket(inner)
			code = after
		case c == '0' || c == '#' || c == '?':
			s.add(token{kind: tokDigit, n: int(c)})
			code = code[1:]
		case c == '.':
			s.add(token{kind: tokPoint})
			code = code[1:]
		case c == ',':
			s.add(token{kind: tokComma})
			code = code[1:]
		case c == '%':
			s.add(token{kind: tokPercent})
			code = code[1:]
		case c == '@':
			s.add(token{kind: tokText})
			code = code[1:]
		case c == '/':
			code = s.slash(code)
		case (c == 'E' || c == 'e') && len(code) > 1 && (code[1] == '+' || code[1] == '-'):
			s.add(token{kind: tokExp, text: code[1:2]})
			code = code[2:]
		case foldPrefix(code, "General"):
			s.add(token{kind: tokGeneral})
			code = code[len("General"):]
		default:
			code = s.word(code)
		}
	}
	return "", true
}

func (s *section) add(t token) { s.tokens = append(s.tokens, t) }

// slash reads the bar of a fraction with a denominator given as a number, or a
// bar alone.
func (s *section) slash(code string) string {
	digits := 1
	for digits < len(code) && code[digits] >= '0' && code[digits] <= '9' {
		digits++
	}
	s.add(token{kind: tokSlash, text: "/"})
	if n, err := strconv.Atoi(code[1:digits]); err == nil && n > 0 && digits < 8 && code[1] != '0' {
		s.add(token{kind: tokFixed, n: n})
		return code[digits:]
	}
	return code[1:]
}

// bracket reads what stands between [ and ]: a condition, an elapsed unit, a
// currency with its language, a colour.
func (s *section) bracket(in string) {
	lower := strings.ToLower(in)
	switch {
	case in == "":
	case in[0] == '$':
		sign, lang, _ := strings.Cut(in[1:], "-")
		if sign != "" {
			s.add(token{kind: tokLiteral, text: sign})
		}
		s.locale(lang)
	case in[0] == '<' || in[0] == '>' || in[0] == '=':
		n := 1
		if len(in) > 1 && (in[1] == '=' || in[1] == '>') {
			n = 2
		}
		if bound, err := strconv.ParseFloat(strings.TrimSpace(in[n:]), 64); err == nil {
			s.cond = &condition{op: in[:n], bound: bound}
		}
	case strings.Trim(lower, "h") == "" || strings.Trim(lower, "m") == "" || strings.Trim(lower, "s") == "":
		s.add(token{kind: tokElapsed, n: len(lower), text: lower[:1]})
	}
}

// word reads a run of one date letter, AM/PM, or one literal character.
func (s *section) word(code string) string {
	for _, half := range [...]string{"AM/PM", "A/P", "上午/下午"} {
		if foldPrefix(code, half) {
			s.add(token{kind: tokHalf, text: code[:len(half)]})
			return code[len(half):]
		}
	}
	c := code[0] | 0x20
	n := 1
	for n < len(code) && code[n]|0x20 == c {
		n++
	}
	kind := tokLiteral
	switch c {
	case 'y', 'e':
		kind = tokYear
		if c == 'e' {
			s.add(token{kind: tokYear, n: 4})
			return code[n:]
		}
	case 'b':
		kind = tokBuddhist
	case 'm':
		kind = tokMonth
	case 'd':
		kind = tokDay
	case 'a':
		if n < 3 {
			break
		}
		kind = tokDay // the East Asian spelling
	case 'h':
		kind = tokHour
	case 's':
		kind = tokSecond
	case 'g':
		return code[n:] // the name of an era: the year is shown in full instead
	}
	if kind == tokLiteral {
		_, size := utf8.DecodeRuneInString(code)
		s.add(token{kind: tokLiteral, text: code[:size]})
		return code[size:]
	}
	s.add(token{kind: kind, n: n})
	return code[n:]
}

func foldPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// settle works out what the section is from its tokens.
func (s *section) settle() bool {
	digits, dates, slash, other := 0, 0, -1, 0
	for i := range s.tokens {
		switch t := &s.tokens[i]; t.kind {
		case tokDigit:
			digits++
		case tokYear, tokBuddhist, tokMonth, tokDay, tokHour, tokMinute, tokSecond, tokElapsed, tokHalf:
			dates++
		case tokSlash:
			if next := s.pastBlanks(i+1, 1); slash < 0 && digits > 0 && next < len(s.tokens) && (s.tokens[next].kind == tokDigit || s.tokens[next].kind == tokFixed) {
				slash = i
			}
		case tokGeneral, tokText:
			other++
		}
	}
	switch {
	case dates > 0 && s.system != "":
		return s.settleSystem()
	case dates > 0:
		return s.settleDate()
	case other > 0:
		s.kind = general
		s.literals()
	case slash >= 0:
		return s.settleFraction(slash)
	case digits > 0:
		s.settleNumber()
	default:
		s.kind = literal
		s.literals()
	}
	return true
}

// literals makes signs literal that mean nothing in a section without digits.
func (s *section) literals() {
	for i := range s.tokens {
		switch t := &s.tokens[i]; t.kind {
		case tokPoint:
			*t = token{kind: tokLiteral, text: "."}
		case tokComma:
			*t = token{kind: tokLiteral, text: ","}
		case tokPercent:
			*t = token{kind: tokLiteral, text: "%"}
		case tokSlash:
			t.kind = tokLiteral
		case tokFixed:
			*t = token{kind: tokLiteral, text: strconv.Itoa(t.n)}
		case tokExp:
			*t = token{kind: tokLiteral, text: "E" + t.text}
		}
	}
}

// settleNumber counts places and tells thousands from scaling commas: a comma
// after the last digit place divides by a thousand.
func (s *section) settleNumber() {
	s.kind = number
	last := 0
	for i := range s.tokens {
		if s.tokens[i].kind == tokDigit {
			last = i
		}
		if s.tokens[i].kind == tokExp {
			break
		}
	}
	out := s.tokens[:0]
	point, exp, digits := false, false, 0
	for i, t := range s.tokens {
		switch t.kind {
		case tokDigit:
			digits++
			switch {
			case exp:
				s.exps++
			case point:
				s.fracs++
			default:
				s.ints++
			}
		case tokPoint:
			if point || exp {
				t = token{kind: tokLiteral, text: "."}
			}
			point = true
		case tokPercent:
			s.shift += 2
		case tokComma:
			switch {
			case digits == 0:
				t = token{kind: tokLiteral, text: ","}
			case i < last:
				s.group = s.group || !point
				continue
			default:
				s.shift -= 3
				continue
			}
		case tokExp:
			if exp {
				t = token{kind: tokLiteral, text: "E" + t.text}
			}
			exp = true
		case tokSlash:
			t.kind = tokLiteral
		case tokFixed:
			t = token{kind: tokLiteral, text: strconv.Itoa(t.n)}
		}
		out = append(out, t)
	}
	s.tokens = out
	if exp && s.exps == 0 {
		s.exps = 1
	}
}

// settleFraction finds the places of "# ?/?": the whole number, where there is
// one, stands apart from the numerator.
func (s *section) settleFraction(slash int) bool {
	s.kind = fraction
	first := s.pastBlanks(slash-1, -1) + 1 // of what stands between numerator and bar
	for i := first - 1; i >= 0 && s.tokens[i].kind == tokDigit; i-- {
		s.num++
	}
	for i := range first - s.num {
		if s.tokens[i].kind == tokDigit {
			s.whole++
		}
	}
	den := s.pastBlanks(slash+1, 1)
	for i := den; i < len(s.tokens) && s.tokens[i].kind == tokDigit; i++ {
		s.den++
	}
	if den < len(s.tokens) && s.tokens[den].kind == tokFixed {
		s.fixed = s.tokens[den].n
	}
	return s.num > 0 && (s.fixed > 0 || s.den > 0)
}

// pastBlanks goes from token i by steps over blanks.
func (s *section) pastBlanks(i, step int) int {
	for i >= 0 && i < len(s.tokens) && s.tokens[i].kind == tokLiteral && s.tokens[i].text == " " {
		i += step
	}
	return i
}

// settleDate tells months from minutes and finds the parts that are shown.
func (s *section) settleDate() bool {
	s.kind = date
	s.lang = languageOf(s.locales)
	s.literalsOfDate()
	before := token{}
	for i := range s.tokens {
		t := &s.tokens[i]
		if t.kind == tokMonth && t.n <= 2 && (before.kind == tokHour || before.kind == tokElapsed && before.text == "h" || s.secondsNext(i+1)) {
			t.kind = tokMinute
		}
		switch t.kind {
		case tokYear, tokBuddhist, tokMonth, tokDay:
			s.days = true
		case tokHour, tokMinute:
			s.clock = true
		case tokSecond:
			s.clock = true
		case tokSubsec:
			s.decimals = max(s.decimals, t.n)
		case tokHalf:
			s.clock, s.half = true, true
		case tokElapsed:
			s.clock, s.elapsed = true, true
		default:
			continue
		}
		before = *t
	}
	return true
}

// secondsNext tells whether the next part of the date is the seconds.
func (s *section) secondsNext(i int) bool {
	for ; i < len(s.tokens); i++ {
		switch t := &s.tokens[i]; t.kind {
		case tokLiteral, tokPad:
		case tokElapsed:
			return t.text == "s"
		default:
			return t.kind == tokSecond
		}
	}
	return false
}

// literalsOfDate makes signs of numbers literal and ".000" after seconds a part.
func (s *section) literalsOfDate() {
	out := s.tokens[:0]
	for i := 0; i < len(s.tokens); i++ {
		t := s.tokens[i]
		if t.kind == tokPoint {
			n := 0
			for i+1+n < len(s.tokens) && s.tokens[i+1+n].kind == tokDigit && s.tokens[i+1+n].n == '0' {
				n++
			}
			if n > 0 {
				out = append(out, token{kind: tokSubsec, n: min(n, 3)})
				i += n
				continue
			}
		}
		if t.kind == tokDigit {
			t = token{kind: tokLiteral, text: string(rune(t.n))}
		}
		out = append(out, t)
	}
	s.tokens = out
	s.literals()
}
