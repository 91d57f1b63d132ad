package numfmt

import (
	"math"
	"strconv"
)

// decimal is a non-negative number as decimal digits: 0.d1d2d3… × 10^point. It
// has no zeros in front and none behind; zero has no digits.
type decimal struct {
	digits []byte
	point  int
}

// significant is how many digits Excel keeps of any number.
const significant = 15

// newDecimal takes the significant digits of |v|.
func newDecimal(buf *[32]byte, v float64) decimal {
	if v == 0 {
		return decimal{}
	}
	b := strconv.AppendFloat(buf[:0], math.Abs(v), 'e', significant-1, 64) // d.ddde±xx
	d := b[:1]
	i := 2
	for ; b[i] != 'e'; i++ {
		d = append(d, b[i]) // shifts the digits over the point, within b
	}
	exp, neg := 0, b[i+1] == '-'
	for _, c := range b[i+2:] {
		exp = exp*10 + int(c-'0')
	}
	if neg {
		exp = -exp
	}
	return decimal{digits: d, point: exp + 1}.trim()
}

func (d decimal) trim() decimal {
	for n := len(d.digits); n > 0 && d.digits[n-1] == '0'; n-- {
		d.digits = d.digits[:n-1]
	}
	if len(d.digits) == 0 {
		d.point = 0
	}
	return d
}

// round keeps n digits after the point, halves away from zero.
func (d decimal) round(n int) decimal {
	keep := d.point + n
	if keep >= len(d.digits) {
		return d
	}
	if keep < 0 {
		return decimal{}
	}
	up := d.digits[keep] >= '5'
	d.digits = d.digits[:keep]
	if !up {
		return d.trim()
	}
	for i := keep - 1; i >= 0; i-- {
		if d.digits[i] < '9' {
			d.digits[i]++
			return d.trim()
		}
		d.digits[i] = '0'
	}
	return decimal{digits: append(d.digits[:0], '1'), point: d.point + 1}
}

// at is the digit that stands i places before the point; -1 is the first after.
func (d decimal) at(i int) byte {
	k := d.point - 1 - i
	if k < 0 || k >= len(d.digits) {
		return '0'
	}
	return d.digits[k]
}

// appendNumber shows v by the places of the section.
func (s *section) appendNumber(dst []byte, v float64) []byte {
	v = s.unsigned(&dst, v)
	from := len(dst)
	var buf [32]byte
	d := newDecimal(&buf, v)
	if len(d.digits) > 0 {
		d.point += s.shift
	}
	exp := 0
	if s.exps > 0 {
		d, exp = s.scientific(d)
	} else {
		d = d.round(s.fracs)
	}
	return unpad(s.emit(dst, d, exp), from)
}

// scientific moves the point so that the places before it hold the number; with
// more than one place the exponent is a multiple of their count.
func (s *section) scientific(d decimal) (decimal, int) {
	step := max(s.ints, 1)
	exp := 0
	for range 2 { // a second time where rounding made one more digit
		if len(d.digits) > 0 {
			e := d.point - 1
			e = int(math.Floor(float64(e)/float64(step))) * step
			d.point -= e
			exp += e
		}
		d = d.round(s.fracs)
	}
	return d, exp
}

// emit writes the tokens with the digits in their places.
func (s *section) emit(dst []byte, d decimal, exp int) []byte {
	place, frac := s.ints, 0 // places still to come before the point; passed after it
	point, inExp, expLeft := false, false, s.exps
	for i := range s.tokens {
		switch t := &s.tokens[i]; t.kind {
		case tokDigit:
			switch {
			case inExp:
				dst = appendExp(dst, exp, &expLeft, s.exps)
			case point:
				frac++
				dst = appendFrac(dst, d, byte(t.n), frac)
			default:
				if place == s.ints {
					for k := d.point - 1; k >= s.ints; k-- { // more digits than places
						dst = s.appendInt(dst, d.at(k), k)
					}
				}
				place--
				dst = s.appendPlace(dst, d, byte(t.n), place)
			}
		case tokPoint:
			if s.ints == 0 {
				for k := d.point - 1; k >= 0; k-- {
					dst = s.appendInt(dst, d.at(k), k)
				}
			}
			point = true
			dst = append(dst, '.')
		case tokPercent:
			dst = append(dst, '%')
		case tokExp:
			inExp = true
			dst = append(dst, 'E')
			if exp < 0 {
				dst = append(dst, '-')
			} else if t.text == "+" {
				dst = append(dst, '+')
			}
		case tokLiteral:
			dst = append(dst, t.text...)
		case tokPad:
			dst = append(dst, padding)
		}
	}
	return dst
}

// appendPlace writes the place k of the whole number.
func (s *section) appendPlace(dst []byte, d decimal, place byte, k int) []byte {
	if k < d.point {
		return s.appendInt(dst, d.at(k), k)
	}
	switch place {
	case '0':
		return s.appendInt(dst, '0', k)
	case '?':
		return append(dst, padding)
	}
	return dst
}

func (s *section) appendInt(dst []byte, digit byte, k int) []byte {
	dst = append(dst, digit)
	if s.group && k > 0 && k%3 == 0 {
		dst = append(dst, ',')
	}
	return dst
}

func appendFrac(dst []byte, d decimal, place byte, k int) []byte {
	if d.point+k <= len(d.digits) || place == '0' {
		return append(dst, d.at(-k))
	}
	if place == '?' {
		return append(dst, padding)
	}
	return dst
}

// appendExp writes the next place of the exponent, all its digits at the first.
func appendExp(dst []byte, exp int, left *int, places int) []byte {
	if *left == places {
		if exp < 0 {
			exp = -exp
		}
		text := strconv.Itoa(exp)
		for range places - len(text) {
			dst = append(dst, '0')
		}
		dst = append(dst, text...)
	}
	*left--
	return dst
}

// AppendGeneral appends v as General shows it in a cell that is wide enough: up
// to eleven characters, the sign not counted.
func AppendGeneral(dst []byte, v float64) []byte {
	switch {
	case v == 0:
		return append(dst, '0')
	case math.IsNaN(v) || math.IsInf(v, 0):
		return append(dst, "#NUM!"...)
	case v == math.Trunc(v) && math.Abs(v) < 1e11:
		return appendWhole(dst, v)
	}
	if v < 0 {
		dst = append(dst, '-')
	}
	const width = 11
	var buf [32]byte
	d := newDecimal(&buf, v)
	switch {
	case d.point > -4 && d.point <= width: // 0.0001 and more: the digits that fit after the point
		if d = d.round(max(width-1-max(d.point, 1), 0)); d.point <= width {
			return appendPlain(dst, d)
		}
	case d.point <= 0 && len(d.digits)-d.point <= width-2:
		return appendPlain(dst, d)
	}
	return appendScientific(dst, d, 5)
}

func appendWhole(dst []byte, v float64) []byte { return strconv.AppendInt(dst, int64(v), 10) }

func appendPlain(dst []byte, d decimal) []byte {
	for k := max(d.point, 1) - 1; k >= 0; k-- {
		dst = append(dst, d.at(k))
	}
	if frac := len(d.digits) - d.point; len(d.digits) > 0 && frac > 0 {
		dst = append(dst, '.')
		for k := 1; k <= frac; k++ {
			dst = append(dst, d.at(-k))
		}
	}
	return dst
}

func appendScientific(dst []byte, d decimal, fracs int) []byte {
	exp := d.point - 1
	d.point = 1
	d = d.round(fracs)
	if d.point == 2 {
		d.point, exp = 1, exp+1
	}
	dst = append(appendPlain(dst, d), 'E')
	if exp < 0 {
		dst, exp = append(dst, '-'), -exp
	} else {
		dst = append(dst, '+')
	}
	if exp < 10 {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, int64(exp), 10)
}

// appendFraction shows v as a whole number and the nearest fraction whose
// denominator has the places given.
func (s *section) appendFraction(dst []byte, v float64) []byte {
	v = s.unsigned(&dst, v)
	from := len(dst)
	if v >= 1e15 {
		return AppendGeneral(dst, v)
	}
	whole, part := math.Modf(v)
	den := int64(s.fixed)
	num := int64(math.Round(part * float64(den)))
	if den == 0 {
		num, den = nearest(part, int64(math.Pow10(min(s.den, 7)))-1)
	}
	if num == den {
		whole, num = whole+1, 0
	}
	if s.whole == 0 {
		num += int64(whole) * den
	}
	return unpad(s.emitFraction(dst, int64(whole), num, den), from)
}

func (s *section) emitFraction(dst []byte, whole, num, den int64) []byte {
	bare := s.whole > 0 && num == 0
	wholeLeft, numLeft, denLeft, afterSlash := s.whole, s.num, s.den, false
	for i := range s.tokens {
		switch t := &s.tokens[i]; t.kind {
		case tokDigit:
			switch {
			case wholeLeft > 0:
				if wholeLeft == s.whole && (whole > 0 || t.n == '0' || num == 0) {
					dst = strconv.AppendInt(dst, whole, 10)
				}
				wholeLeft--
			case !afterSlash:
				if numLeft == s.num {
					dst = appendPart(dst, num, s.num, bare, t.n)
				}
				numLeft--
			case denLeft > 0:
				if denLeft == s.den {
					dst = appendPart(dst, den, s.den, bare, t.n)
				}
				denLeft--
			}
		case tokFixed:
			dst = appendPart(dst, den, 0, bare, '#')
		case tokSlash:
			afterSlash = true
			if bare {
				dst = append(dst, padding)
				continue
			}
			dst = append(dst, '/')
		case tokLiteral:
			if t.text == " " { // it keeps the parts apart where there are parts
				dst = append(dst, padding)
				continue
			}
			dst = append(dst, t.text...)
		case tokPad:
			dst = append(dst, padding)
		}
	}
	return dst
}

// appendPart writes a numerator or a denominator. The blanks with which Excel
// lines fractions up are left out.
func appendPart(dst []byte, n int64, places int, bare bool, place int) []byte {
	switch {
	case bare:
		return dst
	case place == '0':
		return appendPadded(dst, n, places)
	}
	return strconv.AppendInt(dst, n, 10)
}

// nearest is the last convergent of the continued fraction of 0 ≤ x < 1 whose
// denominator is at most most. A nearer fraction may lie between two of them;
// Excel shows the convergent: π under "# ??/??" is 3 1/7.
func nearest(x float64, most int64) (num, den int64) {
	var n0, d0, n1, d1 int64 = 0, 1, 1, 0
	rest := x
	for range 40 {
		a := int64(math.Floor(rest))
		n2, d2 := a*n1+n0, a*d1+d0
		if d2 > most {
			return n1, d1
		}
		n0, d0, n1, d1 = n1, d1, n2, d2
		if frac := rest - math.Floor(rest); frac > 1e-10 {
			rest = 1 / frac
			if rest > 1e12 {
				break
			}
			continue
		}
		break
	}
	return n1, d1
}
