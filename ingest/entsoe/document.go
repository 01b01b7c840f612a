package entsoe

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"courant/ingest/source"
	"courant/store/market"
)

// timeSeries is one TimeSeries of a Publication_MarketDocument, with the elements that are used. A missing element is "".
type timeSeries struct {
	MRID      string   `xml:"mRID"`
	Auction   string   `xml:"auction.type"`
	InDomain  string   `xml:"in_Domain.mRID"`
	OutDomain string   `xml:"out_Domain.mRID"`
	Contract  string   `xml:"contract_MarketAgreement.type"`
	Currency  string   `xml:"currency_Unit.name"`
	Unit      string   `xml:"price_Measure_Unit.name"`
	Sequence  string   `xml:"classificationSequence_AttributeInstanceComponent.position"`
	Curve     string   `xml:"curveType"`
	Periods   []period `xml:"Period"`
}

type period struct {
	Start      string  `xml:"timeInterval>start"`
	End        string  `xml:"timeInterval>end"`
	Resolution string  `xml:"resolution"`
	Points     []point `xml:"Point"`
}

type point struct {
	Position string `xml:"position"`
	Amount   string `xml:"price.amount"`
}

type reason struct {
	Code string `xml:"code"`
	Text string `xml:"text"`
}

// Decode reads a reply to an A44 query for the zone into prices that begin in the window, one row a price period,
// EUR/MWh. An Acknowledgement that says "no matching data" is an empty reply; one that says that something "exceeds" a
// limit is ErrTooWide, and any other is an error with its text. Series that are not the zone's day-ahead auction are
// skipped with a note.
func Decode(body io.Reader, zone string, window market.Period) (source.Reply[market.Price], error) {
	text, err := source.UTF8Reader(body)
	if err != nil {
		return source.Reply[market.Price]{}, err
	}
	d := xml.NewDecoder(text)
	d.CharsetReader = func(charset string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("it says that it is written in %.20s: Courant reads UTF-8 only", charset)
	}
	reply, err := decode(d, zone, window)
	if err != nil {
		return source.Reply[market.Price]{}, err
	}
	return reply, nil
}

func decode(d *xml.Decoder, zone string, window market.Period) (source.Reply[market.Price], error) {
	var reply source.Reply[market.Price]
	root, err := nextStart(d)
	if err != nil {
		return reply, unreadable(err)
	}
	switch root.Name.Local {
	case "Publication_MarketDocument":
		prices := newExpansion(zone, window, &reply)
		if err := publication(d, prices); err != nil {
			return reply, err
		}
		if err := prices.finish(); err != nil {
			return reply, err
		}
	case "Acknowledgement_MarketDocument":
		if err := acknowledgement(d); err != nil {
			return reply, err
		}
	default:
		return reply, fmt.Errorf("the reply is a %.60q, not a Publication_MarketDocument", root.Name.Local)
	}
	return reply, atEnd(d)
}

// publication reads the document one TimeSeries at a time.
func publication(d *xml.Decoder, prices *expansion) error {
	typed, periods := false, 0
	mostPeriods := 100 + 10*len(prices.window.Dates()) // each may be one line, and is expanded to up to a year
	for {
		token, err := d.Token()
		if err != nil {
			return unreadable(err)
		}
		switch element := token.(type) {
		case xml.EndElement:
			if !typed {
				return errors.New("the document has no type")
			}
			return nil
		case xml.StartElement:
			switch element.Name.Local {
			case "type":
				var kind string
				if err := d.DecodeElement(&kind, &element); err != nil {
					return unreadable(err)
				}
				if typed = strings.TrimSpace(kind) == "A44"; !typed {
					return fmt.Errorf("the document's type is %.20q, not A44", kind)
				}
			case "TimeSeries":
				var series timeSeries
				if err := d.DecodeElement(&series, &element); err != nil {
					return unreadable(err)
				}
				if periods += len(series.Periods); periods > mostPeriods {
					return fmt.Errorf("the reply holds more than %d Periods, far more than a real one", mostPeriods)
				}
				prices.addSeries(&series)
			default:
				if err := d.Skip(); err != nil {
					return unreadable(err)
				}
			}
		}
	}
}

// longestReasons is how many bytes of reasons are read; a real answer has a few hundred.
const longestReasons = 64 << 10

// acknowledgement judges by the text, because all refusals have the same code.
func acknowledgement(d *xml.Decoder) error {
	var texts []string
	length := 0
	for {
		token, err := d.Token()
		if err != nil {
			return unreadable(err)
		}
		switch element := token.(type) {
		case xml.EndElement:
			return verdict(strings.Join(texts, "; "))
		case xml.StartElement:
			if element.Name.Local != "Reason" || length > longestReasons {
				if err := d.Skip(); err != nil {
					return unreadable(err)
				}
				continue
			}
			var why reason
			if err := d.DecodeElement(&why, &element); err != nil {
				return unreadable(err)
			}
			texts = append(texts, source.OneLine(why.Text))
			length += len(why.Text)
		}
	}
}

func verdict(text string) error {
	lower := strings.ToLower(text)
	switch {
	case strings.Contains(lower, "no matching data"):
		return nil
	case strings.Contains(lower, "exceeds"):
		return source.Saying(source.ErrTooWide.Error(), text, source.ErrTooWide)
	case text == "":
		return errors.New("the request was refused without a reason")
	}
	return source.Saying("the request was refused", text, nil)
}

func nextStart(d *xml.Decoder) (xml.StartElement, error) {
	for {
		token, err := d.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		if start, ok := token.(xml.StartElement); ok {
			return start, nil
		}
	}
}

// atEnd checks that only white space and comments follow the document.
func atEnd(d *xml.Decoder) error {
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unreadable(err)
		}
		text, isText := token.(xml.CharData)
		if _, isComment := token.(xml.Comment); !isComment && (!isText || strings.TrimSpace(string(text)) != "") {
			return unreadable(errors.New("something follows the document"))
		}
	}
}

func unreadable(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return source.Saying("the reply cannot be read", err.Error(), err)
}
