package xls

import (
	"errors"
	"io"

	"github.com/dropload/dropload/internal/fault"
)

func corrupt(what string) error {
	return &fault.BadFile{
		Code:    "corrupt",
		Message: "The workbook is damaged: " + what + ". Open it in a spreadsheet program and save it again.",
		Cause:   errors.New("xls: " + what),
	}
}

func tooLarge(what string) error {
	return &fault.BadFile{
		Code:    "too-large",
		Message: "The workbook is too large to read: " + what + ". Save it as .xlsx or .csv, or split it.",
		Cause:   errors.New("xls: " + what),
	}
}

func unsupported(what string) error {
	return &fault.BadFile{
		Code:    "unsupported",
		Message: "The file holds no table that can be read: " + what + ". Save the table as .xlsx or .csv.",
		Cause:   errors.New("xls: " + what),
	}
}

func encrypted() error {
	return &fault.BadFile{
		Code:    "encrypted",
		Message: "The workbook is protected by a password. Open it, remove the password, and save it again.",
		Cause:   errors.New("xls: encrypted"),
	}
}

// cut turns the end of a stream where none should be into a fault, and leaves
// other errors as they are.
func cut(err error) error {
	if errors.Is(err, errCut) || errors.Is(err, io.EOF) {
		return corrupt("it is cut off")
	}
	return err
}
