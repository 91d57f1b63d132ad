package numfmt

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// language holds the names that a format's [$-407] asks for.
type language struct {
	months, shortMonths [12]string
	days, shortDays     [7]string // from Sunday
}

func words12(s string) (out [12]string) { copy(out[:], strings.Fields(s)); return out }
func words7(s string) (out [7]string)   { copy(out[:], strings.Fields(s)); return out }

// languageOf finds the language of a Windows language id (only its lowest ten
// bits name the language, MS-LCID 2.2) or of a tag such as de-DE; English where
// it is not known.
func languageOf(id string) *language {
	tag, _, _ := strings.Cut(strings.ToLower(id), "-")
	if n, err := strconv.ParseUint(tag, 16, 32); err == nil {
		tag = map[uint64]string{0x07: "de", 0x0a: "es", 0x0c: "fr", 0x27: "lt"}[n&0x3ff]
	}
	switch tag {
	case "de":
		return &language{
			months:      words12("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
			shortMonths: words12("Jan Feb Mrz Apr Mai Jun Jul Aug Sep Okt Nov Dez"),
			days:        words7("Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag"),
			shortDays:   words7("So Mo Di Mi Do Fr Sa"),
		}
	case "es":
		return &language{
			months:      words12("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
			shortMonths: words12("ene feb mar abr may jun jul ago sep oct nov dic"),
			days:        words7("domingo lunes martes miércoles jueves viernes sábado"),
			shortDays:   words7("dom lun mar mié jue vie sáb"),
		}
	case "fr":
		return &language{
			months:      words12("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
			shortMonths: words12("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."),
			days:        words7("dimanche lundi mardi mercredi jeudi vendredi samedi"),
			shortDays:   words7("dim. lun. mar. mer. jeu. ven. sam."),
		}
	case "lt":
		return &language{
			months:      words12("sausis vasaris kovas balandis gegužė birželis liepa rugpjūtis rugsėjis spalis lapkritis gruodis"),
			shortMonths: words12("saus. vas. kov. bal. geg. birž. liep. rugp. rugs. spal. lapkr. gruod."),
			days:        words7("sekmadienis pirmadienis antradienis trečiadienis ketvirtadienis penktadienis šeštadienis"),
			shortDays:   words7("sk pr an tr kt pn št"),
		}
	}
	return &language{
		months:      words12("January February March April May June July August September October November December"),
		shortMonths: words12("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
		days:        words7("Sunday Monday Tuesday Wednesday Thursday Friday Saturday"),
		shortDays:   words7("Sun Mon Tue Wed Thu Fri Sat"),
	}
}

func (l *language) appendMonth(dst []byte, month, letters int) []byte {
	if letters <= 2 {
		return appendPadded(dst, int64(month), letters)
	}
	name := l.months[month-1]
	switch letters {
	case 3:
		name = l.shortMonths[month-1]
	case 5:
		_, size := utf8.DecodeRuneInString(name)
		name = name[:size]
	}
	return append(dst, name...)
}

func (l *language) appendDay(dst []byte, m moment, letters int) []byte {
	switch {
	case letters <= 2:
		return appendPadded(dst, int64(m.day), letters)
	case letters == 3:
		return append(dst, l.shortDays[m.weekday]...)
	}
	return append(dst, l.days[m.weekday]...)
}

// locale takes the part after the dash of [$-…]. F800 and F400 stand for the
// long date and the time of the reader's own settings, which nobody knows here.
func (s *section) locale(id string) {
	switch {
	case id == "":
	case strings.EqualFold(id, "F800"), strings.EqualFold(id, "x-sysdate"):
		s.system = builtinDate
	case strings.EqualFold(id, "F400"), strings.EqualFold(id, "x-systime"):
		s.system = "h:mm:ss"
	default:
		s.locales = id
	}
}

// settleSystem replaces the section by the format that stands for the reader's
// own.
func (s *section) settleSystem() bool {
	code := s.system
	*s = section{cond: s.cond}
	_, ok := s.scan(code)
	return ok && s.settleDate()
}
