//! The plot: over the number of rules, both axes logarithmic, one panel per mode, one line per engine.

use crate::engine::Failure;
use crate::measure::Mode;
use crate::report::Measured;
use plotters::prelude::*;

const SIZE: (u32, u32) = (1_200, 420);
const ENGINES: [(&str, RGBColor); 5] = [
    ("gait", RGBColor(0, 90, 181)),
    ("cedar", RGBColor(220, 50, 32)),
    ("regorus", RGBColor(0, 140, 90)),
    ("regorus vm", RGBColor(230, 150, 0)),
    ("cel", RGBColor(130, 80, 160)),
];

/// The plot of the synthetic suites among these.
pub fn svg(all: &[Measured]) -> Result<String, Failure> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let panels = root.split_evenly((1, 3));
        let modes: [(&str, &dyn Fn(&Measured, &str) -> Option<u64>); 3] = [
            ("warm: typed request to decision", &|m, e| {
                Some(m.figure(Mode::Warm, e)?.times.p50)
            }),
            ("request-cold: JSON bytes to decision", &|m, e| {
                Some(m.figure(Mode::Cold, e)?.times.p50)
            }),
            ("load: policy bytes to ready", &|m, e| {
                Some(m.loaded(e)?.times.p50)
            }),
        ];
        for (panel, (title, value)) in panels.iter().zip(modes) {
            draw(panel, title, all, value)?;
        }
        root.present()?;
    }
    text.push('\n');
    Ok(text)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw(
    panel: &Area<'_>,
    title: &str,
    all: &[Measured],
    value: &dyn Fn(&Measured, &str) -> Option<u64>,
) -> Result<(), Failure> {
    let points = |engine: &str| -> Vec<(u32, f64)> {
        let synthetic = all.iter().filter(|m| m.name.starts_with("synthetic"));
        let pairs =
            synthetic.filter_map(|m| Some((u32::try_from(m.rules).ok()?, value(m, engine)? as f64 / 10.0)));
        pairs.collect()
    };
    let every: Vec<f64> = ENGINES
        .iter()
        .flat_map(|(name, _)| points(name))
        .map(|(_, y)| y)
        .collect();
    let low = every.iter().copied().fold(f64::MAX, f64::min) / 2.0;
    let high = every.iter().copied().fold(1.0, f64::max) * 2.0;
    let mut chart = ChartBuilder::on(panel)
        .caption(title, ("sans-serif", 16))
        .margin(8)
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d((8_u32..13_000).log_scale(), (low.min(high)..high).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("rules")
        .y_label_formatter(&|y| crate::report::time((*y * 10.0).round() as u64))
        .light_line_style(WHITE)
        .draw()?;
    for (name, colour) in ENGINES {
        let line = points(name);
        chart
            .draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)).point_size(3))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    Ok(())
}
