# plots.gp - for gnuplot: what the bench has measured, as SVG.  Its argument is the folder with the *.dat files.
cd ARG1
set terminal svg size 1000,700 font "sans-serif,12" background "white"
set style fill solid 0.7 border
set border 3
set tics nomirror
stats "rates.dat" using 2 name "R" nooutput
stats "targets.dat" using 2 name "T" nooutput
stats "latency.dat" using 2 name "L" nooutput

# Horizontal bars, the first at the top.
if (exists("R_records") && R_records > 0) {
	set output "rates.svg"
	set title "a second, median of the rounds"
	set xrange [0:*]
	set yrange [R_records-0.4:-0.6]
	set lmargin 50
	set format x "%.0s%c"
	plot "rates.dat" using ($2/2):0:($2/2):(0.35):ytic(1) with boxxyerror notitle
}
if (exists("T_records") && T_records > 0) {
	set output "targets.svg"
	set title "as many times as good as asked for; 1 is the target"
	set xrange [0:4]
	set yrange [T_records-0.4:-0.6]
	set lmargin 50
	set format x "%g"
	set arrow 1 from 1, graph 0 to 1, graph 1 nohead dashtype 2 front
	plot "targets.dat" using ($2 > 4 ? 2 : $2/2):0:($2 > 4 ? 2 : $2/2):(0.35):ytic(1) with boxxyerror notitle
	unset arrow 1
}
if (exists("L_records") && L_records > 0) {
	set output "latency.svg"
	set title "from the moment a webhook was to be sent to its 202; open loop at half the best rate"
	set lmargin 10
	set xrange [1:*]
	set yrange [0:*]
	set logscale x
	set ylabel "ms"
	set ytics autofreq
	set format x "%g"
	set xtics ("50 %%" 2, "90 %%" 10, "99 %%" 100, "99.9 %%" 1000, "99.99 %%" 10000)
	set grid
	plot "latency.dat" using 1:2 with lines linewidth 2 notitle
}
