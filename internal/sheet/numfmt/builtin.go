package numfmt

// builtinDate stands for the short date of the reader's own settings. Nobody
// knows them here, and 3/4/24 is read as two different days; the order of ISO
// 8601 is read as one.
const builtinDate = "yyyy-mm-dd"

// Builtin is the format of an id that workbooks use without writing it down
// (ECMA-376 part 1, 18.8.30), "General" where there is none. Formats that follow
// the language of the reader's system are given in a form that cannot be
// misread: dates as 2024-03-01.
func Builtin(id int) string {
	if id < 0 {
		return "General"
	}
	if id < len(builtins) {
		return builtins[id]
	}
	switch {
	case id >= 59 && id <= 62:
		return builtins[id-58] // Thai
	case id >= 67 && id <= 70:
		return [...]string{"0%", "0.00%", "# ?/?", "# ??/??"}[id-67]
	case id >= 50 && id <= 58 || id == 71 || id == 81:
		return builtinDate
	case id >= 72 && id <= 74:
		return builtins[id-57]
	case id == 75:
		return "h:mm"
	case id == 76:
		return "h:mm:ss"
	case id == 77:
		return builtinDate + " h:mm"
	case id >= 78 && id <= 80:
		return builtins[id-33]
	}
	return "General"
}

//nolint:gochecknoglobals // a constant that Go cannot write
var builtins = [...]string{
	0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00",
	5: `"$"#,##0_);("$"#,##0)`, 6: `"$"#,##0_);[Red]("$"#,##0)`,
	7: `"$"#,##0.00_);("$"#,##0.00)`, 8: `"$"#,##0.00_);[Red]("$"#,##0.00)`,
	9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
	14: builtinDate, 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy",
	18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: builtinDate + " h:mm",
	23: "General", 24: "General", 25: "General", 26: "General",
	27: builtinDate, 28: builtinDate, 29: builtinDate, 30: builtinDate, 31: builtinDate,
	32: "h:mm", 33: "h:mm:ss", 34: builtinDate, 35: builtinDate, 36: builtinDate,
	37: "#,##0_);(#,##0)", 38: "#,##0_);[Red](#,##0)", 39: "#,##0.00_);(#,##0.00)", 40: "#,##0.00_);[Red](#,##0.00)",
	41: `_(* #,##0_);_(* \(#,##0\);_(* "-"_);_(@_)`, 42: `_("$"* #,##0_);_("$"* \(#,##0\);_("$"* "-"_);_(@_)`,
	43: `_(* #,##0.00_);_(* \(#,##0.00\);_(* "-"??_);_(@_)`, 44: `_("$"* #,##0.00_);_("$"* \(#,##0.00\);_("$"* "-"??_);_(@_)`,
	45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
}
