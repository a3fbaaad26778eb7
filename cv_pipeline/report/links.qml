<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.28.0" styleCategories="Symbology|Labeling">
  <renderer-v2 type="singleSymbol" enableorderby="0" forceraster="0" symbollevels="0">
    <symbols>
      <symbol type="line" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
       <layer class="SimpleLine" enabled="1" locked="0" pass="0">
        <Option type="Map">
          <Option type="QString" name="line_color" value="204,121,167,255"/>
          <Option type="QString" name="line_style" value="dash"/>
          <Option type="QString" name="line_width" value="0.5"/>
          <Option type="QString" name="line_width_unit" value="MM"/>
          <Option type="QString" name="capstyle" value="round"/>
        </Option>
       </layer>
      </symbol>
    </symbols>
  </renderer-v2>
  <labeling type="simple">
    <settings calloutType="simple">
      <text-style fieldName="format_number(distance_edge_m, 1) || ' m'" isExpression="1" fontSize="8" fontSizeUnit="Point" textColor="20,20,20,255">
        <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferColor="255,255,255,255"/>
      </text-style>
      <placement placement="2" dist="1.5" distUnits="MM"/>
    </settings>
  </labeling>
  <layerGeometryType>1</layerGeometryType>
</qgis>
